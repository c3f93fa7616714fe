"""Mixture of Inputs inside vLLM: a method and its knobs per request.

vLLM calls `register` in each of its processes. The plugin acts where it is named, `VLLM_PLUGINS=moi`;
where it is not, vLLM is as it was, but for requests with our fields, which are refused.
"""

NAME = "moi"
"""The name that VLLM_PLUGINS must have."""

VERSION = "0.1.0"
"""Version of this plugin."""

SUPPORTED = ("0.32.0",)
"""Versions of vLLM whose inside this plugin knows."""


def checked_vllm(found: str) -> str:
    """The version of vLLM; one that is not known is refused by name."""
    release = found.split("+")[0]
    if release in SUPPORTED:
        return release
    raise RuntimeError(
        f"Cannot mix inside vLLM as its version must be {' or '.join(SUPPORTED)}, which moi-vllm "
        f"{VERSION} was made for: current value is {found}. Install one of these, or start vLLM "
        "without the plugin (VLLM_PLUGINS=)"
    )


def register() -> None:
    """Entry point of `vllm.general_plugins`."""
    import vllm
    from vllm import envs

    from . import engine, runner_v1

    is_named = NAME in (envs.VLLM_PLUGINS or [])
    if is_named:
        checked_vllm(vllm.__version__)
        engine.install()
        runner_v1.install()
    else:
        engine.install_refusal()


__all__ = ["NAME", "SUPPORTED", "VERSION", "checked_vllm", "register"]
