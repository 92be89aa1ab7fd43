#!/usr/bin/env bash
# Expected: FANN trains with the slopes of its activations.
# Found: the slope of SIN_SYMMETRIC, sin(s x), is taken for s cos(s^2 x), and that of GAUSSIAN, exp(-(s x)^2), for s times
#   the true one, where s is the steepness. Only with a steepness of 1 are they right; the default is 0.5.
# Version: FANN 2.2.0 as packaged by Debian 12 (2.2.0+ds-8). Needs apt and a C compiler; nothing is installed.
# Consequence: between pi and 2 pi, where the sine with the default steepness falls, FANN takes it to rise and moves weights
#   the wrong way.
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
cat >slopes.c <<'C'
#include <math.h>
#include <stdio.h>
#include <doublefann.h>

// The slope that one step of gradient descent from weight w uses, with input 1: change / (rate * error)
static double used(struct fann *net, double w)
{
    double input = 1, target = 3;
    fann_set_weight(net, 0, 2, w);
    fann_set_weight(net, 1, 2, 0);
    double output = *fann_run(net, &input);
    double error = target - output;
    fann_train(net, &input, &target);
    struct fann_connection connections[2];
    fann_get_connection_array(net, connections);
    double now = connections[0].from_neuron == 0 ? connections[0].weight : connections[1].weight;
    return (now - w) / (fann_get_learning_rate(net) * error);
}

int main(void)
{
    enum fann_activationfunc_enum kinds[] = {FANN_SIN, FANN_GAUSSIAN};
    const char *names[] = {"SIN", "GAUSSIAN"};
    double w = 4, s = 0.5;
    double truth[] = {s * cos(s * w) / 2, -2 * s * s * w * exp(-s * s * w * w)};
    double taken[] = {s * cos(s * s * w) / 2, -2 * s * s * s * w * exp(-s * s * w * w)};
    int changed = 0;
    for (int k = 0; k < 2; k++) {
        struct fann *net = fann_create_standard(2, 1, 1);
        fann_set_training_algorithm(net, FANN_TRAIN_INCREMENTAL);
        fann_set_train_error_function(net, FANN_ERRORFUNC_LINEAR);
        fann_set_activation_function_output(net, kinds[k]);
        double found = used(net, w);
        printf("%-9s slope %9.6f, FANN's %9.6f, that formula %9.6f\n", names[k], truth[k], found, taken[k]);
        changed |= fabs(found - taken[k]) > 1e-6 || fabs(found - truth[k]) < 1e-3;
        fann_destroy(net);
    }
    return changed;
}
C
libraries=$(dirname "$(find root -name libdoublefann.so.2)")
cc -Iroot/usr/include slopes.c "$libraries/libdoublefann.so.2" -lm -o slopes
echo "FANN 2.2.0"
LD_LIBRARY_PATH="$libraries" ./slopes || { echo "the behaviour changed"; exit 1; }
