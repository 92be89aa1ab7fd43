#!/usr/bin/env bash
# Records what eleven frameworks do with the problem of problem.md, at pinned versions, into words.json.
# Needs apt, npm, a C compiler, a JDK and Python 3.12; everything is installed in a temporary folder, but for R.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
npm install --silent --no-audit --no-fund --ignore-scripts brain.js@1.6.1 synaptic@1.1.4 convnetjs@0.3.0 @tensorflow/tfjs@4.22.0
cp "$here/javascript.cjs" .
node javascript.cjs >javascript.json 2>/dev/null
python3.12 -m venv old && old/bin/pip -q install "numpy<2" scipy==1.17.1 neurolab==0.3.5 pyrenn==0.1 pandas
python3.12 -m venv new && new/bin/pip -q install numpy==2.5.5 opencv-python-headless==4.14.0.94
PYTHONPATH="$here" old/bin/python "$here/neurolab_pyrenn.py" >python.json 2>/dev/null
PYTHONPATH="$here" new/bin/python "$here/opencv.py" >opencv.json
for package in libfann2=2.2.0+ds-8 libfann-dev=2.2.0+ds-8 weka=3.6.14-3; do
    apt-get -qq download "$package" 2>apt.log || { cat apt.log; exit 1; }
done
for package in *.deb; do dpkg -x "$package" root; done
libraries=$(dirname "$(find root -name libdoublefann.so.2)")
cc -Iroot/usr/include "$here/fann.c" "$libraries/libdoublefann.so.2" -lm -o fann
LD_LIBRARY_PATH="$libraries" ./fann >fann.json
jar=$(find root -name weka.jar | head -1)
javac -cp "$jar" -d . "$here/Weka.java"
java -cp "$jar:." Weka >weka.json 2>/dev/null
if ! command -v Rscript >/dev/null; then apt-get -qq install -y --no-install-recommends r-base-core r-cran-nnet; fi
Rscript "$here/nnet.R" >nnet.json
python3 "$here/join.py" javascript.json python.json opencv.json fann.json weka.json nnet.json >"$here/words.json"
