"""The HTTP side: `GET /v1/moi`, refusals, and what was mixed in each choice of an answer.

A middleware around vLLM's routes: it reads the request before vLLM does, and adds `moi` to the choices of the
answer, in a stream to the last chunk of each. Answers to requests without our fields pass through as they are.
"""

import contextlib
import hashlib
import json
import os
from collections.abc import AsyncIterator
from contextvars import ContextVar
from typing import Any

import vllm
from fastapi import FastAPI

from . import NAME, VERSION, engine, fields

PATHS = ("/v1/completions", "/v1/chat/completions")
"""Routes that mix."""

UNFIT = {
    "n": ("be 1", lambda value: value == 1),
    "best_of": ("be 1", lambda value: value == 1),
    "use_beam_search": ("be false", lambda value: value is False),
    "response_format": ("be text", lambda value: value == {"type": "text"}),
    "structured_outputs": ("be left out", lambda _: False),
    "prompt_embeds": ("be left out", lambda _: False),
}
"""Fields that cannot go along with a mixture, and what they must be."""

TOLD: ContextVar[dict[int, dict[str, Any]] | None] = ContextVar("moi_told", default=None)
"""What was mixed, by index of the choice, of the HTTP request that is being answered."""


def checked_body(body: Any, config: Any, tokenizer: Any) -> fields.Recipe | None:
    """The recipe of a request's body; None where it has none of our fields. Raises Refusal."""
    if not isinstance(body, dict):
        return None
    for name in filter(fields.is_ours, body):
        raise fields.Refusal(name, "be inside 'vllm_xargs'", body[name])
    xargs = body.get("vllm_xargs")
    recipe = engine.checked(xargs if isinstance(xargs, dict) else None, config, tokenizer)
    for name, (rule, keeps) in UNFIT.items() if recipe else ():
        value = body.get(name)
        if value is not None and not keeps(value):
            raise fields.Refusal(name, f"{rule} where a request mixes", value)
    return recipe


def told(recipe: fields.Recipe, sums: list[float]) -> dict[str, Any]:
    """What an answer says of its mixtures."""
    count, entropy, off_sample = sums
    return {
        "method": recipe["method"],
        "parameters": recipe["parameters"],
        "mean_entropy": entropy / max(count, 1),
        "mean_off_sample_mass": off_sample / max(count, 1),
        "version": VERSION,
    }


def collecting(generate: Any) -> Any:
    """`AsyncLLM.generate`, noting the sums that come with the tokens."""

    async def collect(
        prompt: Any, params: Any, request_id: str, *args: Any, **more: Any
    ) -> AsyncIterator[Any]:
        into = TOLD.get()
        async with contextlib.aclosing(
            generate(prompt, params, request_id, *args, **more)
        ) as outputs:
            async for output in outputs:
                sums = (output.kv_transfer_params or {}).pop(engine.RECIPE, None)
                output.kv_transfer_params = output.kv_transfer_params or None
                if sums and into is not None:
                    place = request_id.rsplit("-", 1)[-1] if request_id.startswith("cmpl-") else "0"
                    into[int(place)] = told(fields.recipe_of(params.extra_args), sums)
                yield output

    return collect


def with_told(answer: dict[str, Any], found: dict[int, dict[str, Any]], is_chunk: bool) -> bool:
    """Writes what was mixed into an answer's choices; of a chunk, into those that end. Whether any was."""
    ended = [
        choice
        for choice in answer.get("choices") or ()
        if choice["index"] in found and (choice.get("finish_reason") is not None or not is_chunk)
    ]
    for choice in ended:
        choice["moi"] = found[choice["index"]]
    return bool(ended)


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


def told_event(event: bytes, found: dict[int, dict[str, Any]]) -> bytes:
    """A server-sent event with what was mixed; as it is where it ends no choice."""
    data = event.removeprefix(b"data: ")
    if data == event or not data.startswith(b"{"):
        return event
    chunk = json.loads(data)
    return b"data: " + _json(chunk) if with_told(chunk, found, is_chunk=True) else event


def _telling_send(send: Any, found: dict[int, dict[str, Any]]) -> Any:
    """ASGI's `send`, which adds what was mixed to what is sent."""
    start: dict[str, Any] = {}
    held = b""

    async def telling(message: dict[str, Any]) -> None:
        nonlocal start, held
        if message["type"] == "http.response.start":
            start = message
            if _is_stream(start):
                await send(start)
        elif message["type"] != "http.response.body":
            await send(message)
        elif _is_stream(start):
            *events, held = (held + message.get("body", b"")).split(b"\n\n")
            more = message.get("more_body", False)
            body = b"".join(told_event(event, found) + b"\n\n" for event in events)
            await send({**message, "body": body if more else body + held})
        else:
            held += message.get("body", b"")
            if not message.get("more_body", False):
                body = _told_body(held, found) if start["status"] == 200 else held
                headers = [(k, v) for k, v in start["headers"] if k != b"content-length"]
                headers.append((b"content-length", str(len(body)).encode()))
                await send({**start, "headers": headers})
                await send({**message, "body": body})

    return telling


def _is_stream(start: dict[str, Any]) -> bool:
    kinds = [value for name, value in start["headers"] if name == b"content-type"]
    return any(kind.startswith(b"text/event-stream") for kind in kinds)


def _told_body(body: bytes, found: dict[int, dict[str, Any]]) -> bytes:
    answer = json.loads(body)
    return _json(answer) if with_told(answer, found, is_chunk=False) else body


async def _body_of(receive: Any) -> tuple[bytes, Any]:
    """A request's body, and a `receive` that gives it once more."""
    body, more = b"", True
    while more:
        message = await receive()
        if message["type"] != "http.request":
            break
        body, more = body + message.get("body", b""), message.get("more_body", False)
    again = [{"type": "http.request", "body": body, "more_body": False}]

    async def receive_again() -> Any:
        return again.pop() if again else await receive()

    return body, receive_again


async def _refuse(send: Any, refusal: fields.Refusal) -> None:
    """OpenAI's error, with status 400."""
    told_error = {"message": str(refusal), "type": "invalid_request_error"}
    body = _json({"error": {**told_error, "param": refusal.name, "code": "invalid_value"}})
    length = (b"content-length", str(len(body)).encode())
    headers = [(b"content-type", b"application/json"), length]
    await send({"type": "http.response.start", "status": 400, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def telling(app: Any, state: Any) -> Any:
    """The middleware."""

    async def asgi(scope: Any, receive: Any, send: Any) -> None:
        is_asked = scope["type"] == "http" and scope["method"] == "POST"
        if not is_asked or not scope["path"].endswith(PATHS):
            return await app(scope, receive, send)
        text, receive = await _body_of(receive)
        try:
            body = json.loads(text)
        except ValueError:
            return await app(scope, receive, send)  # vLLM says what is wrong
        client = state.engine_client
        try:
            recipe = checked_body(body, client.vllm_config, client.renderer.tokenizer)
        except fields.Refusal as refusal:
            return await _refuse(send, refusal)
        if recipe is None:
            return await app(scope, receive, send)
        found: dict[int, dict[str, Any]] = {}
        TOLD.set(found)
        await app(scope, receive, _telling_send(send, found))

    return asgi


def fingerprint(folder: str) -> str | None:
    """A digest of a checkpoint's files as the toolkit makes it; None where it is no folder of safetensors."""
    names = sorted(name for name in os.listdir(folder) if name.endswith(".safetensors"))
    if not names:
        return None
    samples, sample = 64, 4096
    with open(os.path.join(folder, "config.json"), "rb") as config:
        digest = hashlib.sha256(config.read())
    for name in names:
        path = os.path.join(folder, name)
        size = os.path.getsize(path)
        digest.update(str(size).encode())
        with open(path, "rb") as file:
            for at in [*range(0, size, max(sample, size // samples)), max(0, size - sample)]:
                file.seek(at)
                digest.update(file.read(sample))
    return digest.hexdigest()[:16]


def description(config: Any, name: str) -> dict[str, Any]:
    """What `GET /v1/moi` answers."""
    model = config.model_config
    return {
        "protocol": 1,
        "server": {"name": "vllm", "version": vllm.__version__},
        "plugin": {"name": "moi-vllm", "version": VERSION},
        "model": {
            "id": name,
            "fingerprint": fingerprint(model.model) if os.path.isdir(model.model) else None,
            "dtype": str(model.dtype).removeprefix("torch."),
            "device": config.device_config.device_type,
            "max_length": model.max_model_len,
            "vocabulary_size": model.get_vocab_size(),
        },
        "methods": {method: list(knobs) for method, knobs in fields.METHODS.items()},
    }


class Endpoints:
    """Entry point of `vllm.endpoint_plugins`, in the form that vLLM asks for."""

    name = NAME
    required_tasks = ("generate",)

    def attach_router(self, app: FastAPI) -> None:
        """Adds the route and the middleware."""

        @app.get("/v1/moi")
        async def moi() -> dict[str, Any]:
            return app.state.moi

        app.add_middleware(telling, state=app.state)

    async def init_state(self, engine_client: Any, state: Any, args: Any) -> None:
        """Notes what the model is, and what comes with its tokens."""
        names = args.served_model_name or [args.model]
        state.moi = description(engine_client.vllm_config, names[0])
        engine_client.generate = collecting(engine_client.generate)


endpoints = Endpoints
