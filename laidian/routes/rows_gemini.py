"""Routes of google-genai 3.4.0 for the Gemini Developer API (seen 2026-11-22); canonical below /v1beta, whatever version the client asked for.

Vertex-only routes of that SDK (tuningJobs, batchPredictionJobs, …) carry a project in their path and are no part of this surface.
"""

from __future__ import annotations

from laidian.routes.table import Row, refusing, serving

ROWS: tuple[Row, ...] = (
    *serving(
        "gemini",
        "translated",
        """
        POST /v1beta/models/{model}:generateContent gemini.generate gemini
        POST /v1beta/models/{model}:streamGenerateContent gemini.stream gemini
        """,
    ),
    *serving(
        "gemini",
        "native",
        """
        POST /v1beta/models/{model}:countTokens gemini.count_tokens gemini
        POST /v1beta/models/{model}:embedContent gemini.embed gemini
        POST /v1beta/models/{model}:batchEmbedContents gemini.batch_embed gemini
        """,
    ),
    *serving(
        "gemini",
        "affinity",
        """
        POST /upload/v1beta/files gemini.files.upload gemini
        PUT /upload/v1beta/files gemini.files.upload gemini
        GET /v1beta/files/{file} gemini.files.retrieve gemini
        DELETE /v1beta/files/{file} gemini.files.delete gemini
        GET /v1beta/files/{file}:download gemini.files.download gemini
        POST /v1beta/cachedContents gemini.caches.create gemini
        GET /v1beta/cachedContents/{cache} gemini.caches.retrieve gemini
        PATCH /v1beta/cachedContents/{cache} gemini.caches.update gemini
        DELETE /v1beta/cachedContents/{cache} gemini.caches.delete gemini
        """,
    ),
    *serving(
        "gemini",
        "local",
        """
        GET /v1beta/models models.list
        GET /v1beta/models/{model} models.retrieve
        GET /v1beta/files gemini.files.list gemini
        GET /v1beta/cachedContents gemini.caches.list gemini
        """,
    ),
    *refusing(
        "gemini",
        "Imagen and Veo left the Gemini API's clients, or are billed outside the request; use :generateContent with an image model",
        """
        POST /v1beta/models/{model}:predict
        POST /v1beta/models/{model}:predictLongRunning
        GET /v1beta/models/{video_model}/operations/{operation}
        GET /v1beta/operations/{operation}
        """,
    ),
    *refusing(
        "gemini",
        "what it costs is not said when it is asked, so it cannot be held against a quota",
        """
        POST /v1beta/models/{model}:batchGenerateContent
        POST /v1beta/models/{model}:asyncBatchEmbedContent
        any /v1beta/batches/{rest}
        POST /v1beta/batches/{batch}:cancel
        any /v1beta/fileSearchStores/{rest}
        POST /v1beta/fileSearchStores/{store}:importFile
        POST /upload/v1beta/fileSearchStores/{store}:uploadToFileSearchStore
        """,
    ),
    *refusing(
        "gemini",
        "the Interactions API keeps its state in the operator's account; use :generateContent",
        "any /v1beta/interactions/{rest}",
    ),
    *refusing(
        "gemini",
        "it mints an upstream secret that would go around the relay and its meter",
        "POST /v1beta/auth_tokens",
    ),
    *refusing(
        "gemini",
        "it reads a storage bucket with the operator's account",
        "POST /v1beta/files:register",
    ),
    *refusing(
        "gemini",
        "WebSockets are not spoken here; use :streamGenerateContent",
        "websocket /ws/{service}",
    ),
    *refusing(
        "gemini",
        "it changes the operator's account, not the key's",
        """
        PATCH /v1beta/models/{model}
        DELETE /v1beta/models/{model}
        any /v1beta/tunedModels/{rest}
        POST /v1beta/tunedModels/{model}:generateContent
        POST /v1beta/tunedModels/{model}:streamGenerateContent
        any /v1beta/agents/{rest}
        any /v1beta/environments/{rest}
        PUT /upload/v1beta/environments/{environment}/files/{rest}
        any /v1beta/triggers/{rest}
        any /v1beta/voices/{rest}
        any /v1beta/credentials/{rest}
        any /v1beta/webhooks/{rest}
        POST /v1beta/webhooks/{webhook}:ping
        POST /v1beta/webhooks/{webhook}:rotateSigningSecret
        """,
    ),
    *refusing("gemini", "no price is published for it", "POST /v1beta/decisions"),
)
