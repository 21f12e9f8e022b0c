#!/usr/bin/env bash
# Installs what some tests need, when this user may; otherwise says what will be skipped, and why.
set -u
# Sentry's SDK for Node, outside the repository.
node_cache="$HOME/.cache/tta-monitor-tests/node"
if command -v npm >/dev/null && [ ! -d "$node_cache/node_modules/@sentry/node" ]; then
    mkdir -p "$node_cache" && (cd "$node_cache" && timeout 180 npm install --no-audit --no-fund --silent @sentry/node) \
        || echo "could not install @sentry/node: its test is skipped"
fi
missing=()
command -v chromium >/dev/null || command -v google-chrome >/dev/null || missing+=(chromium)
command -v firefox-esr >/dev/null || command -v firefox >/dev/null || missing+=(firefox-esr)
[ ${#missing[@]} -eq 0 ] && exit 0
skipped() { echo "${missing[*]} cannot be installed ($1): tests that need them are skipped"; exit 0; }
sudo=""
if [ "$(id -u)" -ne 0 ]; then
    sudo -n true 2>/dev/null || skipped "not root, and sudo asks for a password"
    sudo="sudo -n"
fi
command -v apt-get >/dev/null || skipped "there is no apt-get here"
echo "installing ${missing[*]} for the tests"
said=$(mktemp)
trap 'rm -f "$said"' EXIT
$sudo apt-get update -qq >"$said" 2>&1 || echo "apt-get update: $(tail -n 1 "$said")"
# One by one: that one is not there keeps no other away.
for package in "${missing[@]}"; do
    DEBIAN_FRONTEND=noninteractive $sudo apt-get install -y -qq --no-install-recommends "$package" >"$said" 2>&1 \
        || echo "could not install $package ($(grep -m 1 '^E:' "$said" || tail -n 1 "$said")): tests that need it are skipped"
done
exit 0
