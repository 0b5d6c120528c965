async def test_x(api):
    print(await api.ask("GET", "/status"))
    k = await api.ask("POST", "/keys", {"name": "alice", "limit_usd": "5"})
    print(k)
    print(await api.ask("GET", "/keys"))
    print(await api.ask("PATCH", "/keys/alice", {"enabled": False, "expires_at": "30d"}))
    print(
        await api.ask(
            "POST",
            "/upstreams",
            {
                "name": "o",
                "kind": "openai",
                "credentials": [{"api_key": "sk-secret"}],
                "proxy": "socks5://u:p@10.0.0.1:1080",
            },
        )
    )
    print(await api.ask("POST", "/upstreams/o/probe"))
    print(await api.ask("GET", "/upstreams/o/models"))
    print(await api.ask("GET", "/usage?since=24h"))
    print(await api.ask("GET", "/audit"))
    d = await api.ask("GET", "/openapi.json")
    print(list(d["paths"]), list(d["components"]["schemas"]))
    print(await api.ask("POST", "/keys", {"nam": "alice"}, expect=400))
    print(await api.ask("POST", "/quotas", {"name": "q", "limits_usd": {"hour": "1"}}, expect=400))
    print(await api.ask("POST", "/quotas", {"name": "q", "limits_usd": {"day": "1"}}))
    print(
        await api.ask(
            "POST",
            "/upstreams",
            {"name": "p", "kind": "openai", "credentials": [{"api_ke": "x"}]},
            expect=400,
        )
    )
    print(await api.ask("GET", "/prices/find?model=gpt-5.4"))
    print(await api.ask("GET", "/zzz", expect=404))
