#!/usr/bin/env bash
# Expected: FANN's get_MSE is the mean squared error; with one row and one output, the square of target minus output.
# Found: for each output whose activation is symmetric (SIGMOID_SYMMETRIC, ELLIOT_SYMMETRIC, SIN_SYMMETRIC ...) it is
#   a quarter of that. For LINEAR, SIGMOID and GAUSSIAN it is the whole. Training stops by the same number.
# Version: FANN 2.2.0 as packaged by Debian 12 (2.2.0+ds-8). Needs apt and a C compiler; nothing is installed.
# Consequence: the same desired_error of 0.001 asks for an error twice as small (in root mean square) of a network
#   that ends in SIGMOID as of one that ends in SIGMOID_SYMMETRIC, and printed errors of the two cannot be compared.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
chmod 755 "$folder"
cd "$folder"
for package in libfann2 libfann-dev; do
    apt-get -qq download "$package=2.2.0+ds-8" 2>apt.log || { cat apt.log; exit 1; }
done
for package in *.deb; do dpkg -x "$package" root; done
cat >mse.c <<'C'
#include <math.h>
#include <stdio.h>
#include <floatfann.h>

int main(void)
{
    enum fann_activationfunc_enum whole[] = {FANN_LINEAR, FANN_SIGMOID, FANN_GAUSSIAN};
    enum fann_activationfunc_enum symmetric[] = {FANN_SIGMOID_SYMMETRIC, FANN_ELLIOT_SYMMETRIC, FANN_SIN_SYMMETRIC};
    struct fann *net = fann_create_standard(2, 1, 1);
    float input = -0.2f, target = 0.25f;
    int changed = 0;
    for (int i = 0; i < 6; i++) {
        enum fann_activationfunc_enum kind = i < 3 ? whole[i] : symmetric[i - 3];
        fann_set_activation_function_output(net, kind);
        float output = *fann_run(net, &input);
        float square = (target - output) * (target - output);
        fann_reset_MSE(net);
        fann_test(net, &input, &target);
        float share = fann_get_MSE(net) / square;
        printf("%-22s square %.6f, get_MSE %.6f: a share of %.4f\n", FANN_ACTIVATIONFUNC_NAMES[kind], square,
               fann_get_MSE(net), share);
        changed |= fabsf(share - (i < 3 ? 1 : 0.25f)) > 1e-3f;
    }
    fann_destroy(net);
    return changed;
}
C
libraries=$(dirname "$(find root -name libfloatfann.so.2)")
cc -Iroot/usr/include mse.c "$libraries/libfloatfann.so.2" -lm -o mse
echo "FANN 2.2.0"
LD_LIBRARY_PATH="$libraries" ./mse || { echo "the behaviour changed"; exit 1; }
