#!/usr/bin/env bash
# Runs mypy over everything, under the names by which it is installed.
#
# `tasks`, `scorers` and `sandboxes` stand at the top of the checkout and are installed below `afagent`; mypy knows
# packages by the folders that they lie in. So it is shown a tree of links in which they lie where they are installed.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
top=$PWD
tree=$top/.mypy_cache/tree

mkdir -p "$tree/afagent"
find "$tree" -xtype l -delete # what was moved or removed since
for path in afagent/*; do ln -sfn "$top/$path" "$tree/$path"; done
for path in tasks scorers sandboxes; do ln -sfn "$top/$path" "$tree/afagent/$path"; done
for path in tests bench; do [ ! -d "$path" ] || ln -sfn "$top/$path" "$tree/$path"; done

cd "$tree"
packages=(-p afagent)
for path in tests bench; do
  [ -z "$(find "$path/" -name '*.py' 2>/dev/null)" ] || packages+=(-p "$path")
done
MYPYPATH=. "$top/.venv/bin/mypy" --config-file "$top/pyproject.toml" --cache-dir "$top/.mypy_cache" "${packages[@]}"
