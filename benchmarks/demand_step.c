/* The demand step of benchmarks/demand_step.py in C: blocks of enterprises, so that loops are vectorised. */
#include <math.h>
#define BLOCK 256
void quarter(long n, long segments, long offers, const float *alpha, const float *beta, const float *h,
             const float *weight, const int *segment, const float *quality, const float *price,
             const float *offset, const long *order, const long *group, float s1, float s2, float eta,
             float adopt, float rate, float *adoption, float *portfolio, double *tokens) {
  static float value[64][BLOCK], nest[64][BLOCK], inverse[64][BLOCK];
  float scale[BLOCK], total[BLOCK], top[BLOCK], held[BLOCK], demand[BLOCK];
  const float sharp = 1.0f / (1.0f - s2), shrink = (1.0f - s2) / (1.0f - s1), flat = 1.0f - s1;
  for (long k = 0; k < segments * offers; k++) tokens[k] = 0.0;
  for (long begin = 0; begin < n;) {
    const int s = segment[begin];
    long end = begin;
    while (end < n && end < begin + BLOCK && segment[end] == s) end++;
    const long size = end - begin;
    const float *a = alpha + begin, *c = beta + begin, *hb = h + begin;
    long first[65], list[64], models = 0, count = 0;
    for (long k = 0; k < offers; k++) {
      const long j = order[k];
      if (!(offset[s * offers + j] > -1e30f)) continue;
      if (count == 0 || group[list[count - 1]] != group[j]) first[models++] = count;
      list[count++] = j;
    }
    first[models] = count;
    for (long b = 0; b < size; b++) { top[b] = -1e30f; held[b] = 0.0f; }
    for (long m = 0; m < models; m++) {
      for (long b = 0; b < size; b++) { scale[b] = -1e30f; total[b] = 0.0f; }
      for (long k = first[m]; k < first[m + 1]; k++) {
        const long j = list[k];
        const float q = quality[j], p = price[j], o = offset[s * offers + j];
        for (long b = 0; b < size; b++) {
          const float u = (c[b] * q - a[b] * logf(p + hb[b]) + o) * sharp;
          value[k][b] = u;
          scale[b] = u > scale[b] ? u : scale[b];
        }
      }
      for (long k = first[m]; k < first[m + 1]; k++)
        for (long b = 0; b < size; b++) {
          const float e = expf(value[k][b] - scale[b]);
          value[k][b] = e;
          total[b] += e;
        }
      for (long b = 0; b < size; b++) {
        const float y = (scale[b] + logf(total[b])) * shrink;
        nest[m][b] = y;
        inverse[m][b] = 1.0f / total[b];
        top[b] = y > top[b] ? y : top[b];
      }
    }
    for (long b = 0; b < size; b++) total[b] = 0.0f;
    for (long m = 0; m < models; m++)
      for (long b = 0; b < size; b++) {
        const float e = expf(nest[m][b] - top[b]);
        nest[m][b] = e;
        total[b] += e;
      }
    for (long k = 0; k < count; k++)
      for (long b = 0; b < size; b++) held[b] += portfolio[list[k] * n + begin + b];
    for (long b = 0; b < size; b++) {
      const float log_b = top[b] + logf(total[b]);
      const float target = 1.0f / (1.0f + expf(-flat * log_b));
      adoption[begin + b] += adopt * (target - adoption[begin + b]);
      demand[b] = weight[begin + b] * expf(eta * flat / a[b] * log_b) * adoption[begin + b];
      total[b] = (held[b] > 0.0f ? rate : 1.0f) / total[b];
      held[b] = held[b] > 0.0f ? (1.0f - rate) / held[b] : 0.0f;
    }
    for (long m = 0; m < models; m++)
      for (long k = first[m]; k < first[m + 1]; k++) {
        float *column = portfolio + list[k] * n + begin;
        double sold = 0.0;
        for (long b = 0; b < size; b++) {
          column[b] = held[b] * column[b] + total[b] * nest[m][b] * inverse[m][b] * value[k][b];
          sold += (double)demand[b] * column[b];
        }
        tokens[s * offers + list[k]] += sold;
      }
    begin = end;
  }
}
