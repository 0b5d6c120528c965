"""Routes of OpenAI's SDK 3.54.0 (all 238 that need no admin key, seen 2026-11-22) and of its WebSocket clients.

`tests/routes/sdk_routes.txt` holds the SDK's own list; a test finds a row for each of its lines.
"""

from __future__ import annotations

from laidian.routes.table import Row, refusing, serving

ROWS: tuple[Row, ...] = (
    *serving(
        "openai",
        "translated",
        """
        POST /v1/chat/completions chat.completions chat
        POST /v1/responses responses responses
        POST /v1/images/generations images.generations images
        POST /v1/images/edits images.edits images
        """,
    ),
    *serving(
        "openai",
        "native",
        """
        POST /v1/responses/compact responses.compact responses
        POST /v1/responses/input_tokens responses.input_tokens responses
        """,
    ),
    *serving(
        "openai",
        "pass-through",
        """
        POST /v1/completions completions chat
        POST /v1/embeddings embeddings embeddings
        POST /v1/decisions decisions responses
        POST /v1/moderations moderations moderations
        POST /v1/audio/speech audio.speech audio
        POST /v1/audio/transcriptions audio.transcriptions audio
        POST /v1/audio/translations audio.translations audio
        """,
    ),
    *serving(
        "openai",
        "affinity",
        """
        GET /v1/responses/{response_id} responses.retrieve responses
        DELETE /v1/responses/{response_id} responses.delete responses
        POST /v1/responses/{response_id}/cancel responses.cancel responses
        GET /v1/responses/{response_id}/input_items responses.input_items responses
        POST /v1/conversations conversations.create responses
        GET /v1/conversations/{conversation_id} conversations.retrieve responses
        POST /v1/conversations/{conversation_id} conversations.update responses
        DELETE /v1/conversations/{conversation_id} conversations.delete responses
        GET /v1/conversations/{conversation_id}/items conversations.items.list responses
        POST /v1/conversations/{conversation_id}/items conversations.items.create responses
        GET /v1/conversations/{conversation_id}/items/{item_id} conversations.items.retrieve responses
        DELETE /v1/conversations/{conversation_id}/items/{item_id} conversations.items.delete responses
        GET /v1/chat/completions/{completion_id} chat.completions.retrieve chat
        POST /v1/chat/completions/{completion_id} chat.completions.update chat
        DELETE /v1/chat/completions/{completion_id} chat.completions.delete chat
        GET /v1/chat/completions/{completion_id}/messages chat.completions.messages chat
        POST /v1/files files.create responses
        GET /v1/files/{file_id} files.retrieve responses
        DELETE /v1/files/{file_id} files.delete responses
        GET /v1/files/{file_id}/content files.content responses
        POST /v1/uploads uploads.create responses
        POST /v1/uploads/{upload_id}/parts uploads.parts responses
        POST /v1/uploads/{upload_id}/complete uploads.complete responses
        POST /v1/uploads/{upload_id}/cancel uploads.cancel responses
        """,
    ),
    *serving(
        "openai",
        "local",
        """
        GET /v1/models models.list
        GET /v1/models/{model} models.retrieve
        GET /v1/files files.list responses
        """,
    ),
    *refusing(
        "openai",
        "the endpoint was retired with DALL-E 2; use POST /v1/images/edits",
        "POST /v1/images/variations",
    ),
    *refusing(
        "openai",
        "it mints an upstream secret that would go around the relay and its meter",
        """
        POST /v1/realtime/client_secrets
        POST /v1/realtime/sessions
        POST /v1/realtime/transcription_sessions
        POST /v1/realtime/translations/client_secrets
        any /v1/chatkit/{rest}
        """,
    ),
    *refusing(
        "openai",
        "its audio goes around the relay, so that it cannot be metered",
        """
        POST /v1/realtime/calls
        POST /v1/realtime/calls/{call_id}/accept
        POST /v1/realtime/calls/{call_id}/hangup
        POST /v1/realtime/calls/{call_id}/refer
        POST /v1/realtime/calls/{call_id}/reject
        POST /v1/live/sessions
        any /v1/live/sessions/{session_id}/{rest}
        """,
    ),
    *refusing(
        "openai",
        "WebSockets are not spoken here; send POST /v1/responses with `stream` instead",
        """
        websocket /v1/responses
        websocket /v1/realtime
        websocket /v1/realtime/translations
        websocket /v1/live/sessions
        websocket /v1/live/sessions/{session_id}/attach
        websocket /v1/live/sessions/{session_id}/fork
        """,
    ),
    *refusing(
        "openai",
        "the list is the operator's whole account, with every other key's objects in it",
        "GET /v1/chat/completions",
    ),
    *refusing(
        "openai",
        "what it costs is not said when it is asked, so it cannot be held against a quota",
        """
        any /v1/batches/{rest}
        any /v1/videos/{rest}
        any /v1/vector_stores/{rest}
        any /v1/fine_tuning/{rest}
        any /v1/evals/{rest}
        any /v1/containers/{rest}
        """,
    ),
    *refusing(
        "openai",
        "it changes the operator's account, not the key's",
        """
        DELETE /v1/models/{model}
        any /v1/skills/{rest}
        any /v1/webhook_endpoints/{rest}
        GET /v1/webhook_event_types
        any /v1/safety/{rest}
        any /v1/vaults/{rest}
        any /v1/audio/voices/{rest}
        any /v1/audio/voice_consents/{rest}
        """,
    ),
    *refusing(
        "openai",
        "it is agent state in the operator's account; POST /v1/responses does the work of one turn",
        "any /v1/agents/{rest}",
    ),
    *refusing(
        "openai",
        "the Assistants API is deprecated; use POST /v1/responses",
        """
        any /v1/assistants/{rest}
        any /v1/threads/{rest}
        """,
    ),
    *refusing(
        "openai",
        "it says nothing of what it used, so it cannot be metered",
        "POST /v1/content_provenance_checks",
    ),
    *refusing(
        "openai",
        "it takes an admin key of the provider, and those are the operator's",
        """
        any /v1/organization/{rest}
        any /v1/projects/{rest}
        """,
    ),
)
