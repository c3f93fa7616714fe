"""Runs cells in a Deno kernel and prints what each one put out, as JSON.

usage: python3 kernel_cells.py FOLDER cells.json

`cells.json` is a list of { "code", "stopAfter", "pause" }: with "stopAfter" the stop button is pressed so
many seconds after the cell has printed "going", with "pause" a person waits so many seconds before the cell.
"""

import json
import queue
import sys
import threading
import time

from jupyter_client import KernelManager

LIMIT_SECONDS = 120
LATE_SECONDS = 0.4


def run(manager, client, cell):
    message = client.execute(cell["code"])
    outputs, end, pressed = [], time.monotonic() + LIMIT_SECONDS, False
    while True:
        try:
            reply = client.get_iopub_msg(timeout=max(0.01, min(1, end - time.monotonic())))
        except queue.Empty:
            if time.monotonic() < end:
                continue
            return outputs
        if reply["parent_header"].get("msg_id") != message:
            continue
        kind, content = reply["msg_type"], reply["content"]
        if kind == "stream":
            outputs.append({"text": content["text"]})
            if "stopAfter" in cell and not pressed and "going" in content["text"]:
                pressed = True
                threading.Timer(cell["stopAfter"], manager.interrupt_kernel).start()
        elif kind == "error":
            outputs.append({"error": f"{content['ename']}: {content['evalue']}"})
        elif kind in ("display_data", "execute_result"):
            display = content.get("transient", {}).get("display_id")
            outputs.append({"kind": kind, "data": content["data"], "display": display})
        elif kind == "update_display_data":
            for output in outputs:
                if output.get("display") == content["transient"]["display_id"]:
                    output["data"] = content["data"]
        elif kind == "status" and content["execution_state"] == "idle":
            end = time.monotonic() + LATE_SECONDS


def kept(outputs):
    """What a notebook keeps that a reader sees: no output that was emptied."""
    return [output for output in outputs if output.get("data") != {}]


def main():
    manager = KernelManager(kernel_name="deno")
    manager.start_kernel(cwd=sys.argv[1])
    client = manager.client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=60)
        results = []
        for cell in json.load(open(sys.argv[2], encoding="utf-8")):
            time.sleep(cell.get("pause", 0))
            results.append(kept(run(manager, client, cell)))
            if not manager.is_alive():
                results.append([{"error": "the kernel died"}])
                break
        print(json.dumps(results))
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


main()
