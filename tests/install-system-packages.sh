#!/usr/bin/env bash
# Installs what some tests need, when this user may; otherwise says what will be skipped.
set -u
# Sentry's SDK for Node, outside the repository.
node_cache="$HOME/.cache/tta-monitor-tests/node"
if command -v npm >/dev/null && [ ! -d "$node_cache/node_modules/@sentry/node" ]; then
    mkdir -p "$node_cache" && (cd "$node_cache" && timeout 180 npm install --no-audit --no-fund --silent @sentry/node) \
        || echo "could not install @sentry/node: its test is skipped"
fi
missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
[ ${#missing[@]} -eq 0 ] && exit 0
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null && sudo="sudo -n"
    [ -n "$sudo" ] || { echo "not allowed to install ${missing[*]}: tests that need them are skipped"; exit 0; }
fi
command -v apt-get >/dev/null || { echo "no apt-get for ${missing[*]}: tests that need them are skipped"; exit 0; }
echo "installing ${missing[*]} for the tests"
$sudo apt-get update -qq >/dev/null 2>&1
DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq "${missing[@]}" >/dev/null 2>&1 \
    || echo "could not install ${missing[*]}: tests that need them are skipped"
exit 0
