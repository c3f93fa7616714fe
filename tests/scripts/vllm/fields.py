"""What fields of standard input become: methods and parameters of the first list, refusals of the second.

And what becomes of versions of vLLM.
"""

import json
import sys

from moi_vllm import checked_vllm
from moi_vllm.fields import Refusal, recipe_of


def refusal_of(fields):
    try:
        return ["", f"taken: {recipe_of(fields)}"]
    except Refusal as refusal:
        return [refusal.name, str(refusal)]


def version_of(found):
    try:
        return checked_vllm(found)
    except RuntimeError as refusal:
        return str(refusal)


good, bad, versions = json.load(sys.stdin)
recipes = [recipe_of(fields) for fields in good]
told = [[recipe["method"], recipe["parameters"]] for recipe in recipes]
json.dump(
    [told, [refusal_of(fields) for fields in bad], [version_of(one) for one in versions]],
    sys.stdout,
)
