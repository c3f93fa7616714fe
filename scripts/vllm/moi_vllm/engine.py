"""What of vLLM's engine takes part: its settings, the check of a request, and what comes back.

    request ──checked──▶ extra_args["moi"], a recipe ──▶ runner ──sums──▶ scheduler ──▶ RequestOutput

A request without our fields passes through untouched.
"""

import functools
import os
from typing import Any

from vllm.config import VllmConfig
from vllm.engine.arg_utils import EngineArgs
from vllm.exceptions import VLLMValidationError
from vllm.platforms import current_platform
from vllm.sampling_params import SamplingParams
from vllm.v1.core.sched.scheduler import Scheduler
from vllm.v1.engine.input_processor import InputProcessor

from . import fields, phase
from .mixing import Recipe

RECIPE = "moi"
"""Where a checked recipe is in `extra_args`, and the sums of a request in `kv_transfer_params`."""

SETTINGS = {"enable_prefix_caching": False, "async_scheduling": False}
"""What mixing needs of the engine's arguments: set where the command line leaves them open."""

CPU_SETTINGS = {"enable_chunked_prefill": False}
"""The same on a CPU, where vLLM 0.32.0 ends when it prefills a request with a seed in pieces."""


def faults(config: VllmConfig) -> list[tuple[str, str]]:
    """What of an engine's settings forbids mixing: its name, and what to do."""
    model, parallel = config.model_config, config.parallel_config
    found = [
        (config.cache_config.enable_prefix_caching, "prefix caching", "--no-enable-prefix-caching"),
        (config.scheduler_config.async_scheduling, "async scheduling", "--no-async-scheduling"),
        (config.use_v2_model_runner, "model runner V2", "VLLM_USE_V2_MODEL_RUNNER=0"),
        (config.speculative_config is not None, "speculative decoding", "no speculative model"),
        (parallel.pipeline_parallel_size > 1, "pipeline parallelism", "--tensor-parallel-size"),
        (parallel.data_parallel_size > 1, "data parallelism", "one server a replica"),
        (
            parallel.decode_context_parallel_size > 1,
            "context parallelism",
            "ranks for tensors alone",
        ),
        (parallel.enable_dbo, "overlapped batches", "no --enable-dbo"),
        (config.kv_transfer_config is not None, "KV transfer", "no --kv-transfer-config"),
        (config.lora_config is not None, "LoRA adapters", "no --enable-lora"),
        (model.is_encoder_decoder, "an encoder", "a decoder-only model"),
    ]
    return [(name, remedy) for is_on, name, remedy in found if is_on]


def checked(extra_args: dict[str, Any] | None, config: VllmConfig, tokenizer: Any) -> Recipe | None:
    """The recipe of a request; None where it has none of our fields. Raises Refusal."""
    recipe = fields.recipe_of(extra_args or {})
    if recipe is None:
        return None
    for name, remedy in faults(config):
        raise fields.Refusal(
            fields.PREFIX + "method",
            f"be left out on a server with {name} (start vLLM with {remedy})",
            recipe["method"],
        )
    recipe["open"], recipe["close"] = [], []
    if recipe["phase"] != "all":
        for name, text in (("open", phase.OPEN), ("close", phase.CLOSE)):
            ids = phase.encoded(tokenizer, text)
            if ids is None:
                rule = f"be 'all', as the model's tokenizer does not know {text}"
                raise fields.Refusal(fields.PREFIX + "phase", rule, recipe["phase"])
            recipe[name] = ids
    return recipe


def _check_params(params: SamplingParams) -> None:
    """What else a request asks for must go along with a mixture."""
    unfit = [
        ("n", "be 1", params.n, params.n > 1),
        (
            "structured_outputs",
            "be left out",
            params.structured_outputs,
            params.structured_outputs is not None,
        ),
    ]
    for name, rule, value, is_unfit in unfit:
        if is_unfit:
            raise fields.Refusal(name, f"{rule} where a request mixes", value)


def _validated(check: Any) -> Any:
    """What a check gives; a refusal is the error that vLLM answers with 400."""
    try:
        return check()
    except fields.Refusal as refusal:
        raise VLLMValidationError(str(refusal), parameter=refusal.name) from None


def _has_ours(params: Any) -> bool:
    return isinstance(params, SamplingParams) and any(map(fields.is_ours, params.extra_args or {}))


def _checking(process_inputs: Any) -> Any:
    """`InputProcessor.process_inputs`, which every request goes through, whatever its route."""

    @functools.wraps(process_inputs)
    def checking(
        self: InputProcessor, request_id: str, prompt: Any, params: Any, *args: Any, **more: Any
    ):
        if not _has_ours(params):
            return process_inputs(self, request_id, prompt, params, *args, **more)

        def check() -> Recipe:
            _check_params(params)
            if more.get("resumable"):
                raise fields.Refusal("resumable", "be false where a request mixes", True)
            return checked(params.extra_args, self.vllm_config, self.tokenizer)

        recipe = _validated(check)
        request = process_inputs(self, request_id, prompt, params, *args, **more)
        if request.prompt_token_ids is None:
            refusal = fields.Refusal(
                "prompt_embeds", "be token ids where a request mixes", "embeds"
            )
            raise VLLMValidationError(str(refusal), parameter=refusal.name)
        own = {k: v for k, v in params.extra_args.items() if not fields.is_ours(k)}
        request.sampling_params.extra_args = {**own, RECIPE: recipe}
        return request

    return checking


def _refusing(process_inputs: Any) -> Any:
    """The same where the plugin is not named."""

    @functools.wraps(process_inputs)
    def refusing(
        self: InputProcessor, request_id: str, prompt: Any, params: Any, *args: Any, **more: Any
    ):
        if _has_ours(params):
            raise VLLMValidationError(
                "Cannot mix as the plugin must be named when vLLM starts: VLLM_PLUGINS=moi vllm serve …",
                parameter="vllm_xargs",
            )
        return process_inputs(self, request_id, prompt, params, *args, **more)

    return refusing


def _setting(create_engine_config: Any) -> Any:
    """`EngineArgs.create_engine_config` with what mixing needs, where the command line leaves it open."""

    @functools.wraps(create_engine_config)
    def setting(self: EngineArgs, *args: Any, **more: Any):
        settings = {**SETTINGS, **(CPU_SETTINGS if current_platform.is_cpu() else {})}
        for name, value in settings.items():
            if getattr(self, name) is None:
                setattr(self, name, value)
        return create_engine_config(self, *args, **more)

    return setting


def _telling(update_from_output: Any) -> Any:
    """`Scheduler.update_from_output`: what the runner noted goes out with the tokens."""

    @functools.wraps(update_from_output)
    def telling(self: Scheduler, scheduler_output: Any, model_runner_output: Any):
        outputs = update_from_output(self, scheduler_output, model_runner_output)
        noted = getattr(model_runner_output, RECIPE, {})
        for output in (one for group in outputs.values() for one in group.outputs if noted):
            if output.request_id in noted:
                told = {RECIPE: noted[output.request_id]}
                output.kv_transfer_params = {**(output.kv_transfer_params or {}), **told}
        return outputs

    return telling


def install() -> None:
    """Takes part in the engine, once a process."""
    if hasattr(InputProcessor.process_inputs, "__wrapped__"):
        return
    os.environ.setdefault("VLLM_USE_V2_MODEL_RUNNER", "0")
    InputProcessor.process_inputs = _checking(InputProcessor.process_inputs)
    EngineArgs.create_engine_config = _setting(EngineArgs.create_engine_config)
    Scheduler.update_from_output = _telling(Scheduler.update_from_output)


def install_refusal() -> None:
    """Only refuses what it would have to mix."""
    if not hasattr(InputProcessor.process_inputs, "__wrapped__"):
        InputProcessor.process_inputs = _refusing(InputProcessor.process_inputs)
