// Trains x^2 on 21 points of [-1, 1] with FANN by its defaults, for many seeds, and prints the final mean squared errors
// as a JSON list. The number of epochs is the user's: 1,000, without a desired error. cc fann.c -lfann -lm; ./a.out [seeds]
#include <stdio.h>
#include <stdlib.h>
#include <fann.h>

int main(int given, char **arguments)
{
    int seeds = given > 1 ? atoi(arguments[1]) : 200;
    struct fann_train_data *data = fann_create_train(21, 1, 1);
    for (int n = 0; n < 21; n++) {
        data->input[n][0] = (n - 10) / 10.0f;
        data->output[n][0] = data->input[n][0] * data->input[n][0];
    }
    printf("[");
    for (int seed = 0; seed < seeds; seed++) {
        struct fann *net = fann_create_standard(3, 1, 10, 1);
        srand(seed + 1);
        fann_randomize_weights(net, -0.1, 0.1); // as the constructor does, which takes its seed from the clock
        fann_train_on_data(net, data, 1000, 0, 0);
        double error = 0;
        for (int n = 0; n < 21; n++) {
            double e = *fann_run(net, data->input[n]) - data->output[n][0];
            error += e * e / 21;
        }
        printf("%s%.9g", seed ? ", " : "", error);
        fann_destroy(net);
    }
    printf("]\n");
    return 0;
}
