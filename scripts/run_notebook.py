"""Executes notebooks and keeps what the Deno kernel sends after a cell's idle status.

usage: python3 run_notebook.py [--timeout S] [--output DIR] notebook.ipynb ...

Without --output the notebooks are executed in place. Needs nbclient (Debian: python3-nbclient).
"""

import argparse
import asyncio
import pathlib
import sys

import nbformat
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionComplete, CellExecutionError

LATE_SECONDS = 0.25  # outputs have been seen this long after the idle status


class Client(NotebookClient):
    async def _async_poll_output_msg(self, parent_msg_id, cell, cell_index):
        end = None
        while True:
            left = None if end is None else end - asyncio.get_running_loop().time()
            if left is not None and left <= 0:
                return
            try:
                message = await self.kc.iopub_channel.get_msg(timeout=left)
            except Exception as error:
                if type(error).__name__ == "Empty":
                    return
                raise
            if message["parent_header"].get("msg_id") != parent_msg_id:
                continue
            try:
                self.process_message(message, cell, cell_index)
            except CellExecutionComplete:
                end = asyncio.get_running_loop().time() + LATE_SECONDS


def execute(path, timeout, output):
    notebook = nbformat.read(path, as_version=4)
    client = Client(
        notebook,
        timeout=timeout,
        kernel_name="deno",
        resources={"metadata": {"path": str(path.parent)}},
    )
    failed = False
    try:
        client.execute()
    except CellExecutionError as error:
        failed = True
        print(f"{path}: {error}", file=sys.stderr)
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)  # times would change the file at every execution
        if "outputs" in cell:  # an output that was emptied, such as that of plotly.js
            cell.outputs = [output for output in cell.outputs if output.get("data") != {}]
    nbformat.write(notebook, output / path.name if output else path)
    return failed


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("files", nargs="+", type=pathlib.Path)
    parser.add_argument("--timeout", type=int, default=600)
    parser.add_argument("--output", type=pathlib.Path)
    args = parser.parse_args()
    if args.output:
        args.output.mkdir(parents=True, exist_ok=True)
    failures = [execute(path, args.timeout, args.output) for path in args.files]
    sys.exit(1 if any(failures) else 0)


main()
