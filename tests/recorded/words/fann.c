// Record FANN 2.2; see problem.md. cc fann.c -lfann -lm -o fann; the double version, so that nothing but formulas counts.
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <doublefann.h>

enum { ROWS = 6, WEIGHTS = 17 };
static double start[WEIGHTS];

struct which { const char *name; enum fann_activationfunc_enum kind; };
static const struct which kinds[] = {
    {"SIGMOID_STEPWISE", FANN_SIGMOID_STEPWISE}, {"SIGMOID", FANN_SIGMOID},
    {"SIGMOID_SYMMETRIC", FANN_SIGMOID_SYMMETRIC}, {"SIGMOID_SYMMETRIC_STEPWISE", FANN_SIGMOID_SYMMETRIC_STEPWISE},
    {"LINEAR", FANN_LINEAR}, {"ELLIOT", FANN_ELLIOT}, {"GAUSSIAN", FANN_GAUSSIAN}, {"SIN_SYMMETRIC", FANN_SIN_SYMMETRIC},
};

// Place of a connection in problem.md's order: neurons 0 1 2(bias), 3 4 5 6(bias), 7 8
static int place(unsigned from, unsigned to)
{
    if (to < 7)
        return from == 2 ? 6 + (int)(to - 3) : (int)(3 * from + (to - 3));
    return from == 6 ? 15 + (int)(to - 7) : (int)(9 + 2 * (from - 3) + (to - 7));
}

static void exchange(struct fann *net, double *values, int write)
{
    struct fann_connection connections[WEIGHTS];
    fann_get_connection_array(net, connections);
    for (int n = 0; n < WEIGHTS; n++) {
        int k = place(connections[n].from_neuron, connections[n].to_neuron);
        if (write)
            fann_set_weight(net, connections[n].from_neuron, connections[n].to_neuron, values[k]);
        else
            values[k] = connections[n].weight;
    }
}

static struct fann_train_data *rows(void)
{
    struct fann_train_data *data = fann_create_train(ROWS, 2, 2);
    for (int r = 0; r < ROWS; r++) {
        for (int c = 0; c < 2; c++)
            data->input[r][c] = sin(2 * r + 3 * c);
        for (int o = 0; o < 2; o++)
            data->output[r][o] = 0.5 + 0.4 * cos(r + 2 * o);
    }
    return data;
}

static int shown;
static void comma(void) { if (shown++) printf(","); }

static void train(int hidden, int output, const char *algorithm, const char *errors)
{
    int kind = algorithm[0] == 'R' ? FANN_TRAIN_RPROP : algorithm[0] == 'B' ? FANN_TRAIN_BATCH : FANN_TRAIN_INCREMENTAL;
    int tanh_errors = errors[0] == 'T';
    struct fann *net = fann_create_standard(3, 2, 3, 2);
    struct fann_train_data *data = rows();
    fann_set_activation_function_hidden(net, kinds[hidden].kind);
    fann_set_activation_function_output(net, kinds[output].kind);
    fann_set_training_algorithm(net, kind);
    fann_set_train_error_function(net, tanh_errors ? FANN_ERRORFUNC_TANH : FANN_ERRORFUNC_LINEAR);
    if (kind != FANN_TRAIN_RPROP)
        fann_set_learning_momentum(net, kind == FANN_TRAIN_BATCH ? 0 : 0.1f);
    exchange(net, start, 1);
    comma();
    printf("\"%s %s %s %s\":{\"options\":{\"hidden\":\"%s\",\"output\":\"%s\",\"algorithm\":\"%s\",\"errors\":\"%s\"},",
           algorithm, kinds[hidden].name, kinds[output].name, errors, kinds[hidden].name, kinds[output].name, algorithm, errors);
    double after[3][WEIGHTS], reported[3];
    for (int step = 0; step < 3; step++) {
        reported[step] = fann_train_epoch(net, data);
        exchange(net, after[step], 0);
    }
    printf("\"after\":[");
    for (int step = 0; step < 3; step++) {
        printf("%s[", step ? "," : "");
        for (int k = 0; k < WEIGHTS; k++)
            printf("%s%.9g", k ? "," : "", after[step][k]);
        printf("]");
    }
    printf("],\"reported\":[%.9g,%.9g,%.9g]}", reported[0], reported[1], reported[2]);
    fann_destroy(net);
    fann_destroy_train(data);
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void firsts(int count)
{
    static const char *names[] = {"w1", "b1", "w2", "b2"};
    static const int ends[] = {0, 6, 9, 15, 17};
    static const double shares[] = {0, .05, .25, .5, .75, .95, 1};
    double *drawn[WEIGHTS];
    for (int k = 0; k < WEIGHTS; k++)
        drawn[k] = malloc(count * sizeof(double));
    srand(1);
    for (int n = 0; n < count; n++) {
        double one[WEIGHTS];
        struct fann *net = fann_create_standard(3, 2, 3, 2);
        fann_randomize_weights(net, -0.1, 0.1); // what the constructor does, by a seed of its own
        exchange(net, one, 0);
        for (int k = 0; k < WEIGHTS; k++)
            drawn[k][n] = one[k];
        fann_destroy(net);
    }
    printf("},\"init\":{");
    for (int part = 0; part < 4; part++) {
        int size = (ends[part + 1] - ends[part]) * count;
        double *all = malloc(size * sizeof(double));
        for (int k = ends[part]; k < ends[part + 1]; k++)
            for (int n = 0; n < count; n++)
                all[(k - ends[part]) * count + n] = drawn[k][n];
        qsort(all, size, sizeof(double), compare);
        printf("%s\"%s\":[", part ? "," : "", names[part]);
        for (int s = 0; s < 7; s++)
            printf("%s%.6g", s ? "," : "", all[(int)round(shares[s] * (size - 1))]);
        printf("]");
    }
    printf("}");
}

// The activations by themselves: a network 1-1 without a bias, weight 1, at 41 points
static void curves(void)
{
    printf(",\"curves\":{");
    for (unsigned k = 0; k < sizeof kinds / sizeof *kinds; k++) {
        struct fann *net = fann_create_standard(2, 1, 1);
        fann_set_activation_function_output(net, kinds[k].kind);
        fann_set_weight(net, 0, 2, 1);
        fann_set_weight(net, 1, 2, 0);
        printf("%s\"%s\":[", k ? "," : "", kinds[k].name);
        for (int n = 0; n <= 40; n++) {
            fann_type x = (n - 20) * 0.4;
            printf("%s%.9g", n ? "," : "", *fann_run(net, &x));
        }
        printf("]");
        fann_destroy(net);
    }
    printf("}");
}

int main(void)
{
    for (int k = 0; k < WEIGHTS; k++)
        start[k] = 0.5 * sin(3 * k + 1);
    printf("{\"fann\":{\"version\":\"2.2.0\",\"cases\":{");
    train(0, 0, "RPROP", "TANH");
    train(1, 1, "RPROP", "TANH");
    train(2, 4, "RPROP", "TANH");
    train(2, 2, "RPROP", "LINEAR");
    train(0, 0, "BATCH", "TANH");
    train(2, 4, "BATCH", "LINEAR");
    train(2, 2, "BATCH", "TANH");
    train(3, 3, "BATCH", "LINEAR");
    train(5, 6, "BATCH", "LINEAR");
    train(0, 0, "INCREMENTAL", "TANH");
    train(2, 4, "INCREMENTAL", "TANH");
    train(7, 1, "INCREMENTAL", "LINEAR");
    firsts(2000);
    curves();
    printf("}}\n");
    return 0;
}
