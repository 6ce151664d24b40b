// What is done with an edge's m = silu(z), z the second layer, [E, D]: summed up as a message, or read out as a step along the edge.
#include "place.cuh"

// One warp an edge: reader·m + bias. The bias may be null.
__device__ inline void read(const float* __restrict__ z, const float* reader, const float* bias, float* __restrict__ out, int edges, int width) {
  const wide edge = thread_index() / 32;
  const int lane = threadIdx.x % 32;
  if (edge >= edges) return;
  float sum = 0.f;
  for (int c = lane; c < width; c += 32) {
    const float value = z[edge * width + c];
    sum += value * sigmoid(value) * reader[c];
  }
  sum = warp_sum(sum);
  if (lane == 0) out[edge] = sum + (bias ? bias[0] : 0.f);
}

// One block a receiver, threads the channels: Σ gate·m / divisor, with the gate sigmoid(logit), or 1 where `logits` is null.
__device__ inline void sum(Place place, const float* __restrict__ z, const float* __restrict__ logits, float* __restrict__ out, int width, float divisor) {
  for (int c = threadIdx.x; c < width; c += blockDim.x) {
    float total = 0.f;
    for (int e = 0; e < place.count; ++e) {
      const float value = z[place.edge(e) * width + c], gate = logits ? sigmoid(logits[place.edge(e)]) : 1.f;
      total += gate * value * sigmoid(value);
    }
    out[(wide)place.node * width + c] = total * place.factor(divisor);
  }
}

// One block a receiver; its warps take the edges in turn: the gradients of the logits.
__device__ inline void logits(Place place, const float* __restrict__ z, const float* __restrict__ values, const float* __restrict__ up,
                       float* __restrict__ out, int width, float divisor) {
  const int lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (int e = threadIdx.x / 32; e < place.count; e += warps) {
    float along = 0.f;
    for (int c = lane; c < width; c += 32) {
      const float value = z[place.edge(e) * width + c];
      along += up[(wide)place.node * width + c] * value * sigmoid(value);
    }
    along = warp_sum(along);
    const float gate = sigmoid(values[place.edge(e)]);
    if (lane == 0) out[place.edge(e)] = along * place.factor(divisor) * gate * (1.f - gate);
  }
}

// One block a receiver, threads the channels: the gradient of z, through the sum of messages (`up`, null without) and through what was
// read out (`reads`, null without); and the node's share of the reader's gradient, [N, D].
__device__ inline void pull(Place place, const float* __restrict__ z, const float* reader, const float* __restrict__ values, const float* __restrict__ reads,
                     const float* __restrict__ up, float* __restrict__ dz, float* __restrict__ shares, int width, float divisor) {
  for (int c = threadIdx.x; c < width; c += blockDim.x) {
    const float down = up ? up[(wide)place.node * width + c] * place.factor(divisor) : 0.f;
    float share = 0.f;
    for (int e = 0; e < place.count; ++e) {
      const wide edge = place.edge(e);
      const float value = z[edge * width + c], s = sigmoid(value), gate = values && up ? sigmoid(values[edge]) : 1.f;
      float dm = gate * down;
      if (reads) {
        dm += reads[edge] * reader[c];
        share += reads[edge] * value * s;
      }
      dz[edge * width + c] = dm * silu_slope(value, s);
    }
    shares[(wide)place.node * width + c] = share;
  }
}

// How far points move along an edge; without a range there is no bound.
struct Reach {
  float constant, range, divisor;
  __device__ float step(float value) const { return range > 0.f ? range * tanhf(value) : value; }
  __device__ float slope(float value) const {
    const float t = range > 0.f ? tanhf(value) : 0.f;
    return range > 0.f ? range * (1.f - t * t) : 1.f;
  }
};
// Added to squared distances under the root, so that its slope at coincident points is finite.
constexpr float SOFTENING = 1e-8f;

// One warp a receiver: Σ step·offset / (length + constant) / divisor.
__device__ inline void steps(Place place, const float* x, const float* __restrict__ values, float* __restrict__ out, Reach reach) {
  const int lane = threadIdx.x % 32;
  float sums[3] = {};
  for (int e = lane; e < place.count; e += 32) {
    const Offset d = between(x, place.node, place.sender(e));
    const float step = reach.step(values[place.edge(e)]) / (sqrtf(d.square() + SOFTENING) + reach.constant);
    sums[0] += step * d.x;
    sums[1] += step * d.y;
    sums[2] += step * d.z;
  }
#pragma unroll
  for (int k = 0; k < 3; ++k) {
    const float total = warp_sum(sums[k]);
    if (lane == 0) out[3 * (wide)place.node + k] = total * place.factor(reach.divisor);
  }
}

// One warp a receiver: the gradients of what was read out, [E], and of the offsets, [E, 3].
__device__ inline void pull_steps(Place place, const float* x, const float* __restrict__ values, const float* __restrict__ up, float* __restrict__ reads,
                           float* __restrict__ pulls, Reach reach) {
  const float factor = place.factor(reach.divisor);
  const wide i = 3 * (wide)place.node;
  const float gx = factor * up[i], gy = factor * up[i + 1], gz = factor * up[i + 2];
  for (int e = threadIdx.x % 32; e < place.count; e += 32) {
    const wide edge = place.edge(e);
    const Offset d = between(x, place.node, place.sender(e));
    const float length = sqrtf(d.square() + SOFTENING), unit = 1.f / (length + reach.constant);
    const float along = gx * d.x + gy * d.y + gz * d.z, step = reach.step(values[edge]) * unit, back = along * unit / length;
    reads[edge] = along * unit * reach.slope(values[edge]);
    pulls[3 * edge] = step * (gx - back * d.x);
    pulls[3 * edge + 1] = step * (gy - back * d.y);
    pulls[3 * edge + 2] = step * (gz - back * d.z);
  }
}

KERNEL(edge_read_f32, (const float* z, const float* reader, const float* bias, float* out, int edges, int width),
       read(z, reader, bias, out, edges, width))
KERNEL(edge_sum_f32, (EDGES, const float* z, const float* logits, float* out, int width, float divisor),
       sum(NODE, z, logits, out, width, divisor))
KERNEL(edge_logits_f32, (EDGES, const float* z, const float* values, const float* up, float* out, int width, float divisor),
       logits(NODE, z, values, up, out, width, divisor))
KERNEL(edge_pull_f32,
       (EDGES, const float* z, const float* reader, const float* values, const float* reads, const float* up, float* dz, float* shares,
        int width, float divisor),
       pull(NODE, z, reader, values, reads, up, dz, shares, width, divisor))
KERNEL(edge_steps_f32, (EDGES, const float* x, const float* values, float* out, Reach reach), steps(NODE, x, values, out, reach))
KERNEL(edge_pull_steps_f32, (EDGES, const float* x, const float* values, const float* up, float* reads, float* pulls, Reach reach),
       pull_steps(NODE, x, values, up, reads, pulls, reach))
