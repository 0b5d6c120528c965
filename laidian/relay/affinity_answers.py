"""What is answered about objects at upstreams, by the names that the rows of the route table use."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from laidian.relay import affinity_chat as chat
from laidian.relay import affinity_files as files
from laidian.relay import affinity_gemini as gemini
from laidian.relay import affinity_openai as openai
from laidian.relay.affinity_upload import upload_file
from laidian.relay.client import Client
from laidian.relay.context import Context

STORED: dict[str, Callable[[Context, Client, dict[str, str]], Awaitable[None]]] = {
    "responses.retrieve": openai.retrieve_response,
    "responses.delete": openai.delete_response,
    "responses.cancel": openai.cancel_response,
    "responses.input_items": openai.list_input_items,
    "chat.completions.retrieve": chat.retrieve_completion,
    "chat.completions.update": chat.update_completion,
    "chat.completions.delete": chat.delete_completion,
    "chat.completions.messages": chat.list_messages,
    "conversations.create": openai.create_conversation,
    "conversations.retrieve": openai.retrieve_conversation,
    "conversations.update": openai.update_conversation,
    "conversations.delete": openai.delete_conversation,
    "conversations.items.list": openai.list_items,
    "conversations.items.create": openai.create_items,
    "conversations.items.retrieve": openai.retrieve_item,
    "conversations.items.delete": openai.delete_item,
    "files.create": files.create_file,
    "files.retrieve": files.retrieve_file,
    "files.delete": files.delete_file,
    "files.content": files.file_content,
    "files.list": files.list_files,
    "uploads.create": files.create_upload,
    "uploads.parts": files.add_part,
    "uploads.complete": files.complete_upload,
    "uploads.cancel": files.cancel_upload,
    "gemini.files.upload": upload_file,
    "gemini.files.retrieve": gemini.retrieve_file,
    "gemini.files.delete": gemini.delete_file,
    "gemini.files.download": gemini.download_file,
    "gemini.files.list": gemini.list_files,
    "gemini.caches.create": gemini.create_cache,
    "gemini.caches.retrieve": gemini.retrieve_cache,
    "gemini.caches.update": gemini.update_cache,
    "gemini.caches.delete": gemini.delete_cache,
    "gemini.caches.list": gemini.list_caches,
}
"""Everything here is free: no hold, no record, one line in the log."""
