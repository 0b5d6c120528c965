"""Every code of an error, with what it means and what helps. A test finds all codes that the program can say and wants each of them here."""

from __future__ import annotations

import textwrap

import msgspec


class Code(msgspec.Struct, frozen=True):
    code: str
    status: str
    means: str


class Section(msgspec.Struct, frozen=True):
    title: str
    codes: tuple[Code, ...]


SECTIONS: tuple[Section, ...] = (
    Section(
        "The request is at fault (a client should change it, not repeat it; `param` names the field)",
        (
            Code("invalid_request", "400", "contradictory or not understood; the message says what"),
            Code("invalid_json", "400", "the body is no JSON: NaN, broken text, too deep, or cut off"),
            Code("invalid_form", "400", "the multipart form cannot be read"),
            Code("invalid_type", "400", "a field has another type than it should"),
            Code("invalid_value", "400", "a field has a value that cannot be"),
            Code("invalid_upload", "400", "the parts of an upload are not the file they should be"),
            Code("duplicate_field", "400", "a field stands twice, and which one counts is anybody's guess"),
            Code("empty_array", "400", "a list that needs something in it has nothing"),
            Code("missing_field", "400", "a field that has to be there is not"),
            Code("missing_required_parameter", "400", "likewise, in the Responses API's words"),
            Code("missing_model", "400", "no model is named"),
            Code("missing_messages", "400", "a chat request without messages"),
            Code("missing_name", "400", "a tool or a format without a name"),
            Code("missing_schema", "400", "a structured answer is asked for without a schema"),
            Code("missing_prompt", "400", "a picture is asked for without a prompt"),
            Code("missing_image", "400", "an edit without a picture"),
            Code("missing_file", "400", "a transcription without a file"),
            Code("missing_input", "400", "speech without text"),
            Code(
                "unsupported_parameter",
                "400",
                "this field cannot be carried to the upstream that serves the model; leave it out",
            ),
            Code(
                "unsupported_value", "400", "this value cannot be carried there; the message says which can"
            ),
            Code("image_too_large", "400", "a picture is larger than the endpoint takes"),
            Code(
                "previous_response_not_found",
                "400",
                "the response to go on from is not this key's, or its provider no longer has it",
            ),
            Code("context_length_exceeded", "400", "the prompt is longer than the model reads"),
            Code("content_policy_violation", "400", "the provider refused the picture's content"),
            Code("no_image_generated", "400", "the model answered without drawing"),
            Code("request_timeout", "408", "the body stalled for longer than limits.body_timeout_s"),
            Code("already_exists", "409", "the upload is complete already"),
            Code("request_too_large", "413", "the body is larger than limits.body_max_bytes"),
            Code("unsupported_media_type", "415", "the body is compressed, or not JSON or a form"),
        ),
    ),
    Section(
        "The key may not, or not now",
        (
            Code(
                "invalid_api_key",
                "401",
                "no key, or one that is unknown, disabled or expired: laidian key show NAME",
            ),
            Code(
                "insufficient_quota",
                "429",
                "the balance, a window of the plan, or the key's own limit is used up: laidian quota show NAME",
            ),
            Code(
                "rate_limit_exceeded",
                "429",
                "requests, tokens or concurrency of the group, or every upstream is limited; `retry-after` says how long",
            ),
            Code("too_many_failures", "429", "too many wrong keys or tokens from this address"),
        ),
    ),
    Section(
        "There is no such thing for this key",
        (
            Code(
                "model_not_found",
                "404",
                "the model is not in the key's group, or nothing serves it; GET /v1/models/NAME?explain=1 says why",
            ),
            Code(
                "model_not_priced",
                "404",
                "no price is known, so it is refused and not given away: laidian price set MODEL",
            ),
            Code(
                "endpoint_not_supported",
                "404/400",
                "the group lacks the capability, or the endpoint is refused for the reason given",
            ),
            Code("unknown_url", "404", "no such path; the message names the nearest"),
            Code("not_found", "404", "no such object"),
            Code(
                "…_not_found",
                "404",
                "response_not_found, file_not_found and so on: not this key's, deleted, or expired",
            ),
            Code(
                "objects_apart",
                "400",
                "the request names objects that lie at different upstreams, and no upstream has them all",
            ),
            Code(
                "method_not_allowed",
                "405",
                "the path exists, the method does not; `allow` names those that do",
            ),
            Code("ended_by_operator", "403", "the operator ended the request while it ran; do not repeat it"),
            Code("websocket_not_supported", "426", "WebSockets are not spoken; clients fall back to HTTP"),
        ),
    ),
    Section(
        "An upstream is at fault (nobody is charged for what did not come)",
        (
            Code(
                "upstream_error",
                "502",
                "no upstream could answer; laidian usage show ID names what was tried",
            ),
            Code(
                "no_available_channel",
                "503",
                "everything that serves the model rests until the time in the message: laidian upstream errors",
            ),
            Code("upstream_timeout", "504", "no upstream answered in time"),
        ),
    ),
    Section(
        "This instance is at fault",
        (
            Code("internal_error", "500", "a bug; the log has the request id"),
            Code(
                "storage_unavailable",
                "503",
                "the database cannot be written, so nothing is relayed: disk full, another user's files, damage",
            ),
            Code("server_stopping", "503", "it is stopping; another try in a moment reaches the next one"),
        ),
    ),
    Section(
        "Of the admin API and the command line",
        (
            Code("invalid_admin_token", "401", "the token in admin.token is missing or wrong"),
            Code("insufficient_permissions", "403", "a valid credential used from the wrong place"),
            Code(
                "not_local", "403", "admin.remote is off, and this is another machine: use a tunnel (ssh -L)"
            ),
            Code(
                "forwarded", "403", "the request came through a proxy; go there directly, or set admin.remote"
            ),
            Code(
                "unknown_host",
                "403",
                "the Host is a name and no address, which a web page could have made up",
            ),
            Code(
                "too_many_listeners", "429", "too many read the event stream of one worker; close a dashboard"
            ),
            Code("conflict", "409", "the name exists, or the thing is in use"),
            Code("upgrade_refused", "-", "a new file is not what was published, or does not start"),
            Code("server_unreachable", "-", "the server does not answer"),
            Code("answer_lost", "-", "the request went out and no answer came; it may have been carried out"),
            Code("not_the_admin_api", "-", "something answers there, and it is no LaiDian of this version"),
        ),
    ),
    Section(
        "Only in usage records",
        (
            Code(
                "worker_died",
                "-",
                "the process ended in the middle; charged by the orphan rule (laidian help money)",
            ),
            Code("unit_not_priced", "-", "the answer used a unit without a price; charged at what was held"),
        ),
    ),
)
HEAD = """Error codes

Errors have the shape of the client's protocol. OpenAI's is {"error": {"message", "type", "param", "code"}}. The message is a sentence
with the next step; `x-request-id` finds the record (laidian usage show ID); `x-should-retry` says whether another try can help."""


def text() -> str:
    blocks = [HEAD]
    for section in SECTIONS:
        lines = [_line(one) for one in section.codes]
        blocks.append("\n".join([section.title, "", *lines]))
    return "\n\n".join(blocks)


def _line(one: Code) -> str:
    return textwrap.fill(
        one.means,
        width=118,
        initial_indent=f"  {one.status:<8}{one.code:<28} ",
        subsequent_indent=" " * 39,
        break_on_hyphens=False,
    )
