"""A TLS proxy in front: what to put into Caddy's or nginx's configuration.

Both hold answers back by themselves, which breaks streams, and both would hand /admin through to a server that answers it only to this
machine; so both are told.
"""

from __future__ import annotations

from typing import Literal

Front = Literal["caddy", "nginx"]


def front_text(front: Front, domain: str, port: int, body_max_bytes: int) -> str:
    megabytes = -(-body_max_bytes // 2**20)
    return (_CADDY if front == "caddy" else _NGINX).format(domain=domain, port=port, megabytes=megabytes)


_CADDY = """\
# /etc/caddy/Caddyfile
{domain} {{
\t@operator path /admin /admin/* /metrics
\trespond @operator 404
\trequest_body {{
\t\tmax_size {megabytes}MiB
\t}}
\treverse_proxy 127.0.0.1:{port} {{
\t\tflush_interval -1
\t\ttransport http {{
\t\t\tresponse_header_timeout 10m
\t\t}}
\t}}
}}
"""
_NGINX = """\
# /etc/nginx/conf.d/laidian.conf
server {{
    listen 443 ssl;
    listen [::]:443 ssl;
    server_name {domain};
    ssl_certificate     /etc/letsencrypt/live/{domain}/fullchain.pem;
    ssl_certificate_key /etc/letsencrypt/live/{domain}/privkey.pem;
    client_max_body_size {megabytes}m;

    location ~ ^/(admin|metrics)(/|$) {{
        return 404;
    }}
    location / {{
        proxy_pass http://127.0.0.1:{port};
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_set_header Host $host;
        proxy_set_header X-Forwarded-For $remote_addr;
        proxy_set_header X-Forwarded-Proto $scheme;
        proxy_request_buffering off;
        proxy_buffering off;
        proxy_read_timeout 600s;
        proxy_send_timeout 600s;
    }}
}}
"""
