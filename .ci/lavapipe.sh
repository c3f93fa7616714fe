#!/usr/bin/env bash
# Unpacks lavapipe of Debian's backports, Mesa's emulated GPU with float16, into a folder, with the libraries
# that it needs and the machine lacks. Nothing is installed: programs that do not ask for it do not find it.
#
# usage: .ci/lavapipe.sh FOLDER (prints the path of its JSON file)
set -euo pipefail
folder=$1
if ! [ -d "$folder" ]; then
  work=$(mktemp -d) && trap 'rm -rf "$work"' EXIT
  mkdir -p "$work"/{lists,archives}/partial "$work/root"
  . /etc/os-release
  # the machine's own source of its release, and the same for the suite of backports
  apt-get indextargets --format '$(SITE) $(COMPONENT)' \
    'Created-By: Packages' "Codename: $VERSION_CODENAME" 'Component: main' "Release: $VERSION_CODENAME" |
    sort -u | while read -r site component; do
      for suite in "$VERSION_CODENAME" "$VERSION_CODENAME-backports"; do
        echo "deb $site $suite $component"
      done
    done >"$work/sources.list"
  apt() {
    apt-get -q -o "Dir::Etc::sourcelist=$work/sources.list" -o Dir::Etc::sourceparts=- \
      -o "Dir::State::lists=$work/lists" -o "Dir::Cache=$work" -o APT::Sandbox::User=root "$@" >&2
  }
  apt update
  apt install -y --download-only --no-install-recommends --reinstall \
    -t "$VERSION_CODENAME-backports" mesa-vulkan-drivers
  for package in "$work"/archives/*.deb; do dpkg -x "$package" "$work/root"; done
  ls "$work"/root/usr/share/vulkan/icd.d/lvp_icd*.json >/dev/null
  mkdir -p "$(dirname "$folder")" && mv "$work/root" "$folder"
fi
ls "$folder"/usr/share/vulkan/icd.d/lvp_icd*.json
