"""A simulated model provider: OpenAI, Gemini and Anthropic wire formats, with no model behind them.

It is what `laidian demo` relays to and what the tests judge the relay by. It owns its own rules, its
own counting and its own bill, and shares no code with the relay: a bug that both had would be a bug that
neither could show. So nothing in this package may import anything of laidian outside this package, and
nothing outside may import anything but `app.create_app` and `serve.serve`.

It never pretends: every answer begins with `[simulated]`, every response carries `x-simulated: true`.

Counting (the same for all dialects): one token is 4 bytes of UTF-8 text, rounded up per text; 4 more per
message; an image is 85 tokens, a sound 100, a document 200. Embedding inputs are texts, not messages.

Directives in the text of the last user message steer the answer:

| directive | effect |
|---|---|
| `[[tokens:N]]` | the text is exactly N tokens long (output limits still apply) |
| `[[say:TEXT]]` | the text is `[simulated] TEXT` |
| `[[refuse:TEXT]]` | the model refuses, in the words `[simulated] TEXT` |
| `[[reasoning:N]]` | N reasoning tokens are added to the output |
| `[[cached:N]]` | N tokens of the prompt (at most all) come from the cache |
| `[[cache_write:N]]` | N tokens of the prompt that were not cached are written to the cache |
| `[[tool]]`, `[[tools:N]]` | answer with 1 or N tool calls |
| `[[continue]]` | Gemini: the answer ends with CONTINUATION, and the request that brings its token back with the end |
| `[[delay:MS]]` | wait before the first byte |
| `[[pace:MS]]` | wait between the chunks of a stream |
| `[[chunk:N]]` | N tokens per chunk of a stream (1 unless told) |
| `[[fault:NAME]]` | misbehave; the names are in `faults.FAULTS` |
"""
