#!/usr/bin/env bash
# Installs clients of a server from PyPI into a folder, where they are not there yet: OpenAI's for
# Python and lm-evaluation-harness. 0.8 GB; PyTorch is none of it.
#
# usage: bash .ci/clients.sh FOLDER
set -euo pipefail
PYTHONPATH=$1 python3 -c 'import datasets, lm_eval, openai, requests' 2>/dev/null ||
  python3 -m pip install -q --upgrade --target "$1" \
    'lm_eval[api]==0.4.13' datasets==5.2.0 openai==3.57.0
