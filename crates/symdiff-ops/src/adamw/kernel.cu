// Up to MOST parameters per launch; blockIdx.y counts them.
#include "kernel.cuh"

// The numbers of one step; see `Factors`. `maximum` is 1 with AMSGrad: moments then have four rows, else three.
struct Rule {
  float scale, rate1, rate2, kept, lr, correction, eps, fresh, limit, maximum;
};

// min(1, limit / (norm + 1e-6)), or 1 without a norm.
__device__ inline float clipped(const float* norm, float limit) { return norm ? fminf(1.f, limit / (norm[0] + 1e-6f)) : 1.f; }

__device__ inline void step(Pointers parameters, Pointers gradients, Pointers moments, Counts counts, const float* norm, Rule rule) {
  const wide count = counts.at[blockIdx.y];
  float* p = (float*)parameters.at[blockIdx.y];
  const float* g = (const float*)gradients.at[blockIdx.y];
  float* m = (float*)moments.at[blockIdx.y];
  float* top = rule.maximum > 0.f ? m + 2 * count : nullptr;
  float* average = m + (top ? 3 : 2) * count;
  const float scale = rule.scale * clipped(norm, rule.limit);
  for (wide i = thread_index(); i < count; i += thread_count()) {
    const float slope = g[i] * scale;
    const float first = m[i] + rule.rate1 * (slope - m[i]);
    const float second = m[count + i] + rule.rate2 * (slope * slope - m[count + i]);
    // False for NaN, which then stays.
    const float root = sqrtf(top && top[i] > second ? top[i] : second);
    const float next = rule.kept * p[i] - rule.lr * first / (root * rule.correction + rule.eps);
    m[i] = first;
    m[count + i] = second;
    if (top && !(top[i] > second)) top[i] = second;
    average[i] += rule.fresh * (next - average[i]);
    p[i] = next;
  }
}

// The block's share of a tensor's sum of squares.
__device__ inline void squares(Pointers tensors, Counts counts, double* sums) {
  SHARED double warps[32];
  const float* x = (const float*)tensors.at[blockIdx.y];
  double sum = 0.0;
  for (wide i = thread_index(); i < counts.at[blockIdx.y]; i += thread_count()) sum += (double)x[i] * x[i];
  sum = warp_sum(sum);
  if (threadIdx.x % 32 == 0) warps[threadIdx.x / 32] = sum;
  __syncthreads();
  if (threadIdx.x > 0) return;
  sum = 0.0;
  for (int w = 0; w < (int)blockDim.x / 32; ++w) sum += warps[w];
  sums[(wide)blockIdx.y * gridDim.x + blockIdx.x] = sum;
}

// One warp: the root of the sum of all shares.
__device__ inline void norm(const double* sums, int count, float* out) {
  double sum = 0.0;
  for (int i = threadIdx.x; i < count; i += 32) sum += sums[i];
  sum = warp_sum(sum);
  if (threadIdx.x == 0) out[0] = (float)sqrt(sum);
}

KERNEL(adamw_step_f32, (Pointers p, Pointers g, Pointers m, Counts n, const float* norm, Rule rule), step(p, g, m, n, norm, rule))
KERNEL(adamw_squares_f32, (Pointers tensors, Counts counts, double* sums), squares(tensors, counts, sums))
KERNEL(adamw_norm_f32, (const double* sums, int count, float* out), norm(sums, count, out))
