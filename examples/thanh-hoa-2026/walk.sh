#!/usr/bin/env bash
# Everything in one go, on a synthetic network: bash walk.sh [FOLDER [--communes F --population F]].
# Needs phusong and phusong[report].
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=${1:-$here/out}
python=${PYTHON:-python3}
phusong=${PHUSONG:-phusong}

"$python" "$here/make_inputs.py" "$out/inputs" "${@:2}"
cd "$out"

# 1. What is wrong with the sheets? The rows set aside go back in quarantine.xlsx.
"$phusong" check sites inputs/sites.xlsx --communes inputs/communes.parquet -o check

# 2. Four quarters, each from its study.
for quarter in 2025q3 2025q4 2026q1 2026q2; do
  "$phusong" run "inputs/study-$quarter.toml" -o "runs/$quarter" ${MAPS---no-map}
done

# 3. On track? What changed, and why?
"$phusong" progress runs -o progress --inputs inputs

# 4. One doubtful figure.
"$phusong" explain runs/2026q2 "Xã Yên Khương" --service 5g --inputs inputs

# 5. The signal over terrain, in cells of 500 m.
"$phusong" predict --sites inputs/sites.xlsx --terrain inputs/terrain.tif --terrain-kind ground \
  --communes inputs/communes.parquet --as-of 2026-06-30 --cell 500 --tiles tiles --no-map -o signal

# 6. Where to build next.
"$phusong" plan runs/2026q2 --sites 10 --draws 0 --inputs inputs -o plan

# 7. The website and the report.
"$phusong" publish runs/2025q3 runs/2025q4 runs/2026q1 runs/2026q2 -o public
"$phusong" report runs/2026q2 --previous runs/2026q1 --plan plan -o bao-cao.docx

# 8. Is everything as it was written?
for folder in runs/* progress signal plan; do "$phusong" verify "$folder"; done
