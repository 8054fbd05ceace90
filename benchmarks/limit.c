/* The two-moons step, 2-16-16-1 with tanh or relu, mean hinge loss, value and gradient, by hand: blocks of samples, the
   loop over the samples of a block innermost, so that the compiler makes vectors of it and calls its vector tanh. */
#include <math.h>
#include <string.h>

#define H 16
#define B 128

#ifdef RELU
#define ACT(z) ((z) > 0.0 ? (z) : 0.0)
#define SLOPE(a) ((a) > 0.0 ? 1.0 : 0.0)
#else
#define ACT(z) tanh(z)
#define SLOPE(a) (1.0 - (a) * (a))
#endif

static double dot_of(const double *restrict a, const double *restrict b) {
    double total = 0.0;
    for (int s = 0; s < B; s++) total += a[s] * b[s];
    return total;
}

static double sum_of(const double *restrict a) {
    double total = 0.0;
    for (int s = 0; s < B; s++) total += a[s];
    return total;
}

/* p: per neuron its weights, then its bias, layer by layer; x: two columns of n; n is a multiple of B. */
double step(long n, const double *x, const double *y, const double *p, double *restrict g) {
    const double *w1 = p, *w2 = p + H * 3, *w3 = w2 + H * (H + 1);
    double *g1 = g, *g2 = g + H * 3, *g3 = g2 + H * (H + 1);
    double loss = 0.0;
    memset(g, 0, sizeof(double) * (H * 3 + H * (H + 1) + H + 1));
    for (long start = 0; start < n; start += B) {
        static double a1[H][B], a2[H][B], d1[H][B], d2[H][B], d3[B], z[B];
        const double *x0 = x + start, *x1 = x + n + start, *label = y + start;
        for (int j = 0; j < H; j++)
            for (int s = 0; s < B; s++) {
                double t = w1[3 * j + 2] + w1[3 * j] * x0[s] + w1[3 * j + 1] * x1[s];
                a1[j][s] = ACT(t);
            }
        for (int j = 0; j < H; j++) {
            const double *w = w2 + (H + 1) * j;
            for (int s = 0; s < B; s++) z[s] = w[H];
            for (int i = 0; i < H; i++)
                for (int s = 0; s < B; s++) z[s] += w[i] * a1[i][s];
            for (int s = 0; s < B; s++) a2[j][s] = ACT(z[s]);
        }
        for (int s = 0; s < B; s++) z[s] = w3[H];
        for (int i = 0; i < H; i++)
            for (int s = 0; s < B; s++) z[s] += w3[i] * a2[i][s];
        for (int s = 0; s < B; s++) {
            double margin = 1.0 - label[s] * z[s];
            d3[s] = margin > 0.0 ? -label[s] : 0.0;
            z[s] = margin > 0.0 ? margin : 0.0;
        }
        loss += sum_of(z);
        g3[H] += sum_of(d3);
        for (int i = 0; i < H; i++) {
            g3[i] += dot_of(d3, a2[i]);
            for (int s = 0; s < B; s++) d2[i][s] = d3[s] * w3[i] * SLOPE(a2[i][s]);
        }
        memset(d1, 0, sizeof d1);
        for (int j = 0; j < H; j++) {
            const double *w = w2 + (H + 1) * j;
            double *gw = g2 + (H + 1) * j;
            for (int i = 0; i < H; i++) {
                gw[i] += dot_of(d2[j], a1[i]);
                for (int s = 0; s < B; s++) d1[i][s] += d2[j][s] * w[i];
            }
            gw[H] += sum_of(d2[j]);
        }
        for (int j = 0; j < H; j++) {
            for (int s = 0; s < B; s++) d1[j][s] *= SLOPE(a1[j][s]);
            g1[3 * j] += dot_of(d1[j], x0);
            g1[3 * j + 1] += dot_of(d1[j], x1);
            g1[3 * j + 2] += sum_of(d1[j]);
        }
    }
    for (int i = 0; i < H * 3 + H * (H + 1) + H + 1; i++) g[i] /= n;
    return loss / n;
}
