#!/usr/bin/env bash
# bash gpu.sh [options of 'deno task gpu']: checks and measures the GPU of a bare x86-64 Linux machine.
#
# Needs Python 3 and the driver, nothing else: what else is needed lies compressed in this folder and
# in those beside it that have a gpu.sh as well (the CUDA part is a folder of its own). Unpacks into
# $MOI_DIR (default: moi-gpu in the temporary folder; a second call finds it there) and writes gpu.json
# and gpu.log into $OUT, else the current folder.
set -u
K=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd); D=${MOI_DIR:-${TMPDIR:-/tmp}/moi-gpu}; O=${OUT:-$PWD}
mkdir -p "$D" "$O"; D=$(cd "$D" && pwd); O=$(cd "$O" && pwd)
python3 - "$D" "$K" "$K"/../*/ <<'P' || exit 1
import lzma, os, shutil, sys, tarfile
d, kits = sys.argv[1], [k for k in dict.fromkeys(map(os.path.realpath, sys.argv[2:])) if os.path.exists(f"{k}/gpu.sh")]
for k in kits:
    for name in sorted(os.listdir(k)):
        source, target = f"{k}/{name}", f"{d}/{name.removesuffix('.xz')}"
        if os.path.isdir(source): shutil.copytree(source, target, dirs_exist_ok=True); continue
        is_same = os.path.exists(target) and os.path.getmtime(target) >= os.path.getmtime(source)
        if is_same and name.endswith(".xz"): continue # of what takes seconds
        with (lzma.open if name.endswith(".xz") else open)(source, "rb") as a, open(target + ".part", "wb") as b:
            shutil.copyfileobj(a, b, 1 << 20)
        os.chmod(target + ".part", 0o755); os.replace(target + ".part", target)
        if name.endswith(".tar.xz"):
            with tarfile.open(target) as tar: tar.extractall(d)
P
first() { for f in "$@"; do [ -e "$f" ] && echo "$f" && return; done; }
driver=$(first /usr/local/nvidia/lib64 /usr/lib/x86_64-linux-gnu/nvidia/current)
packages=$(python3 -c 'import glob, nvidia; print(":".join(d for p in nvidia.__path__ for d in sorted(glob.glob(f"{p}/*/lib"))))' 2>/dev/null)
export LD_LIBRARY_PATH="$D/libraries${driver:+:$driver}${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}${packages:+:$packages}"
export PATH="$PATH:/usr/local/nvidia/bin" XDG_RUNTIME_DIR=${XDG_RUNTIME_DIR:-/tmp} DENO_NO_UPDATE_CHECK=1
export MOI_ORT_LIB="$D/libonnxruntime.so.1" DENO_DIR="$D/deno-cache"
if [ -z "${VK_DRIVER_FILES:-}${VK_ICD_FILENAMES:-}" ]; then
  icd=$(first /usr/local/nvidia/share/vulkan/icd.d/nvidia_icd.json {/usr/share,/etc}/vulkan/icd.d/nvidia_icd*.json)
  [ -n "$icd" ] && export VK_DRIVER_FILES=$icd
fi
[ -e "$D/libonnxruntime_providers_cuda.so" ] && default=webgpu,cuda,llama:vulkan || default=webgpu,llama:vulkan
case " $* " in *" --device"*) ;; *) set -- --device $default "$@" ;; esac
{
  nvidia-smi --query-gpu=name,driver_version,memory.total,clocks.max.memory --format=csv,noheader
  "$D/deno" --version | head -1
  ldd "$D/libonnxruntime.so.1" "$D"/libonnxruntime_providers_cuda.so | grep 'not found'
  "$D/deno" run -A --quiet --no-config --no-remote --node-modules-dir=manual "$D/gpu.js" --out "$O/gpu.json" "$@"
} 2>&1 | grep -v "\[31m" | tee "$O/gpu.log"
exit "${PIPESTATUS[0]}"
