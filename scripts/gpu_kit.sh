#!/usr/bin/env bash
# bash scripts/gpu_kit.sh OUT: a folder of at most 60 MB with which 'deno task gpu' runs on a bare x86-64
# Linux machine with a GPU's driver and Python 3, without a registry: there 'bash OUT/gpu.sh'.
#
# bash scripts/gpu_kit.sh --cuda OUT [--arch 90]: the CUDA part, a folder of its own, as both together
# may be too much for one transfer. Its provider has code for one compute capability only (90: H100, H200;
# 80: A100; 89: RTX 40; 120: RTX 50): a test artefact, nothing to install.
#
# Made of packages by name: npm (Deno, ONNX Runtime, llama.cpp for Vulkan), Debian (Vulkan's loader, and the client libraries of
# X11 and GLVND that NVIDIA's Vulkan driver links: without them the loader finds no driver), PyPI (the
# CUDA provider). Needs deno, npm, pip, apt-get, dpkg and xz; takes five minutes. An OUT that is there keeps
# what takes them, Deno and the libraries: remove it when their versions change.
set -euo pipefail
ORT=1.30.0 DENO=2.9.6 LLAMA=3.21.1 arch=90 cuda= out=
while [ $# -gt 0 ]; do
  case $1 in
    --cuda) cuda=1 ;;
    --arch) arch=$2; shift ;;
    *) out=$1 ;;
  esac
  shift
done
[ -n "$out" ] || { echo "usage: bash scripts/gpu_kit.sh [--cuda [--arch 90]] OUT" >&2; exit 1; }
here=$(cd "$(dirname "$0")/.." && pwd); mkdir -p "$out"; out=$(cd "$out" && pwd)
T=$(mktemp -d); trap 'rm -rf "$T"' EXIT
made="$T/made"; mkdir "$made" # a folder that is not whole is never seen
cp "$here/scripts/gpu/kit.sh" "$made/gpu.sh"
cd "$T"
if [ -n "$cuda" ]; then
  python3 -m pip download -q --no-deps --only-binary=:all: --python-version 3.12 --implementation cp \
    --platform manylinux_2_28_x86_64 --platform manylinux_2_27_x86_64 -d . "onnxruntime-gpu==$ORT"
  python3 -m zipfile -e onnxruntime_gpu-*.whl . && L=onnxruntime/capi
  python3 "$here/scripts/gpu/prune_fatbin.py" $L/libonnxruntime_providers_cuda.so p.so "$arch"
  xz -9e -T0 -c p.so >"$made/libonnxruntime_providers_cuda.so.xz"
  cp $L/libonnxruntime_providers_shared.so "$made/"
else
  deno bundle -q --platform deno --config "$here/deno.json" -o "$made/gpu.js" "$here/scripts/gpu/main.ts"
  cp -r "$here"/tests/golden/{architectures.json,qwen3,llama.json,llama} "$here/scripts/gpu/hf.py" "$made/"
  if [ ! -e "$out/deno.xz" ] || [ ! -e "$out/libonnxruntime.so.1.xz" ]; then
    npm pack -s "@deno/linux-x64-glibc@$DENO" >/dev/null && tar xzf deno-linux*.tgz
    xz -9e -T0 -c package/deno >"$made/deno.xz" && rm -rf package
    npm pack -s "onnxruntime-node@$ORT" >/dev/null && tar xzf onnxruntime-node*.tgz
    xz -9e -T0 -c package/bin/napi-v6/linux/x64/libonnxruntime.so.1 >"$made/libonnxruntime.so.1.xz"
  fi
  if [ ! -e "$out/llama.tar.xz" ]; then
    name=@node-llama-cpp/linux-x64-vulkan && mkdir -p "node_modules/$name"
    npm pack -s "$name@$LLAMA" >/dev/null && tar xzf node-llama-cpp-*.tgz --strip 1 -C "node_modules/$name"
    rm "node_modules/$name"/bins/*/{llama-addon.node,libllama-common.so}
    tar cf - node_modules | xz -9e -T0 -c >"$made/llama.tar.xz"
  fi
  apt-get download -qq -o APT::Sandbox::User=root libvulkan1 libx11-6 libxext6 libxcb1 libxau6 \
    libxdmcp6 libbsd0 libmd0 libglvnd0 libglx0 libegl1 libopengl0 libgl1
  for deb in *.deb; do dpkg -x "$deb" root; done
  mkdir libraries && find root -name '*.so.*' -exec cp -P {} libraries/ \;
  tar cf - libraries | xz -9e -c >"$made/libraries.tar.xz"
fi
cp -r "$made/." "$out/"
du -sh "$out"
