"""The examples of the documentation, as the seed's have them: runnable as they stand once the key is put in.

Only texts that a shell cannot misread are filled in; `laidian.domain.snippets.fill` sees to it.
"""

from __future__ import annotations

from laidian.domain.snippets import NO_KEY, fill

_POST = r"""curl {base_url}/PATH \
  -H "Authorization: Bearer {key}" \
  -H "Content-Type: application/json" \
  -d '"""

_QUICK_START = (
    _POST.replace("PATH", "chat/completions")
    + """{
    "model": "{model}",
    "messages": [
      {"role": "system", "content": "You are a concise assistant."},
      {"role": "user", "content": "Describe {brand} in one sentence."}
    ]
  }'"""
)
_STREAM = (
    _POST.replace("PATH", "chat/completions").replace("curl ", "curl -N ")
    + """{
    "model": "{model}",
    "stream": true,
    "messages": [
      {"role": "user", "content": "Write a three-line product intro."}
    ]
  }'"""
)
_JAVASCRIPT = """const response = await fetch("{base_url}/chat/completions", {
  method: "POST",
  headers: {
    "Authorization": "Bearer {key}",
    "Content-Type": "application/json"
  },
  body: JSON.stringify({
    model: "{model}",
    messages: [{ role: "user", content: "Hello, {brand}." }]
  })
});

const data = await response.json();
console.log(data.choices[0].message.content);"""
_PYTHON = """from openai import OpenAI

client = OpenAI(
    api_key="{key}",
    base_url="{base_url}",
)

resp = client.chat.completions.create(
    model="{model}",
    messages=[
        {"role": "user", "content": "Explain what an API relay is."}
    ],
)

print(resp.choices[0].message.content)"""
_RESPONSES = (
    _POST.replace("PATH", "responses")
    + """{
    "model": "{model}",
    "input": "Give me one API key security tip for developers."
  }'"""
)
_IMAGES = (
    _POST.replace("PATH", "images/generations")
    + """{
    "model": "{model}",
    "prompt": "A minimal product hero image for a transparent AI API relay, clean Apple-style, warm light.",
    "size": "1024x1024"
  }'"""
)
_EDITS = (
    r"""curl {base_url}/images/edits \
  -H "Authorization: Bearer {key}" \
  -F "model={model}" \
  -F "prompt=Add a tiny green token in the center." \
"""
    + '  -F "image=@input.png"'
)


def quick_start(base_url: str, model: str, brand: str) -> str:
    return _filled(_QUICK_START, base_url, model, brand)


def stream(base_url: str, model: str) -> str:
    return _filled(_STREAM, base_url, model)


def javascript(base_url: str, model: str, brand: str) -> str:
    return _filled(_JAVASCRIPT, base_url, model, brand)


def python(base_url: str, model: str) -> str:
    return _filled(_PYTHON, base_url, model)


def responses(base_url: str, model: str) -> str:
    return _filled(_RESPONSES, base_url, model)


def images(base_url: str, model: str) -> str:
    return _filled(_IMAGES, base_url, model)


def edits(base_url: str, model: str) -> str:
    return _filled(_EDITS, base_url, model)


def _filled(text: str, base_url: str, model: str, brand: str = "LaiDian Token") -> str:
    return fill(text, base_url=base_url, model=model, brand=brand).replace("{key}", NO_KEY)
