"""Presses Jupyter's stop button while a study runs, twice; prints what the cells said."""

import json
import queue
import sys
import time

from jupyter_client import KernelManager

SETUP = """
import { countdown, interruptSignal, loadModel, moi, runStudy, standard } from "../../mod.ts";
const model = await loadModel("countdown-tiny");
"""
STUDY = """
const methods = { standard: standard(), moi: moi() };
const signal = interruptSignal();
let told = false;
const runs = await runStudy({ model, task: countdown(), methods, repeats: 50 }, {
  signal,
  onProgress: ({ done }) => { if (done > 20 && !told) { told = true; console.log("going"); } },
});
console.log(JSON.stringify({ runs: runs.length, aborted: signal.aborted }));
"""
LIMIT_SECONDS = 60


def run(client, code, on_output=lambda text: None):
    message = client.execute(code)
    end = time.monotonic() + LIMIT_SECONDS
    outputs, status = [], None
    while True:
        if time.monotonic() > end:
            raise TimeoutError(f"no answer to {code[:60]!r}")
        try:
            reply = client.get_iopub_msg(timeout=1)
        except queue.Empty:
            if status == "idle":
                return outputs
            continue
        if reply["parent_header"].get("msg_id") != message:
            continue
        content = reply["content"]
        if reply["msg_type"] == "stream":
            outputs.append(content["text"])
            on_output(content["text"])
        elif reply["msg_type"] == "error":
            raise RuntimeError(f"{content['ename']}: {content['evalue']}")
        elif reply["msg_type"] == "status" and content["execution_state"] == "idle":
            status = "idle"
            end = min(end, time.monotonic() + 1)  # late output
            if any('"runs"' in text for text in outputs) or "repeats" not in code:
                return outputs


def main():
    manager = KernelManager(kernel_name="deno")
    manager.start_kernel(cwd=sys.argv[1])
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=LIMIT_SECONDS)
        run(client, SETUP)
        results = []
        for _ in range(2):
            stop = lambda text: manager.interrupt_kernel() if "going" in text else None
            start = time.monotonic()
            outputs = run(client, STUDY, stop)
            result = json.loads(next(text for text in outputs if '"runs"' in text))
            results.append({**result, "seconds": time.monotonic() - start})
        after = run(client, "console.log(`alive ${model.id}`)")
        print(json.dumps({"stopped": results, "after": "".join(after).strip()}))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main()
