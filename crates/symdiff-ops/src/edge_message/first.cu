// The first layer of the edge network: z = receiver's half + sender's half + Σ squared distance·weight, a = silu(z).
//
// `points` are those now and at the start, [N, 3] each, or null, and then so are the `weights`, [2, D].
#include "place.cuh"

struct Layer {
  const float *receivers, *senders, *weights, *now, *start;
  int width;
  // The squared distances, 0 without points.
  __device__ float near(int i, int j) const { return now ? between(now, i, j).square() : 0.f; }
  __device__ float far(int i, int j) const { return now ? between(start, i, j).square() : 0.f; }
  __device__ float weight(int which, int c) const { return now ? weights[which * width + c] : 0.f; }
  __device__ float z(int i, int j, float near, float far, int c) const {
    return receivers[(wide)i * width + c] + senders[(wide)j * width + c] + near * weight(0, c) + far * weight(1, c);
  }
};

// One block a receiver; its warps take the edges in turn, lanes the channels.
__device__ inline void forward(Place place, Layer layer, float* __restrict__ a) {
  const int lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (int e = threadIdx.x / 32; e < place.count; e += warps) {
    const int j = place.sender(e);
    const float near = layer.near(place.node, j), far = layer.far(place.node, j);
    for (int c = lane; c < layer.width; c += 32) {
      const float z = layer.z(place.node, j, near, far, c);
      a[place.edge(e) * layer.width + c] = z * sigmoid(z);
    }
  }
}

// As above: from the gradient of a to that of z, and to those of the two squared distances, [E, 2].
__device__ inline void backward(Place place, Layer layer, const float* __restrict__ da, float* __restrict__ dz, float* __restrict__ distances) {
  const int lane = threadIdx.x % 32, warps = blockDim.x / 32;
  for (int e = threadIdx.x / 32; e < place.count; e += warps) {
    const int j = place.sender(e);
    const float near = layer.near(place.node, j), far = layer.far(place.node, j);
    float to_near = 0.f, to_far = 0.f;
    for (int c = lane; c < layer.width; c += 32) {
      const float z = layer.z(place.node, j, near, far, c);
      const float d = da[place.edge(e) * layer.width + c] * silu_slope(z, sigmoid(z));
      dz[place.edge(e) * layer.width + c] = d;
      to_near += d * layer.weight(0, c);
      to_far += d * layer.weight(1, c);
    }
    to_near = warp_sum(to_near);
    to_far = warp_sum(to_far);
    if (lane > 0) continue;
    distances[2 * place.edge(e)] = to_near;
    distances[2 * place.edge(e) + 1] = to_far;
  }
}

// One block a node, threads the channels: the gradients of its two halves, and its share of those of the weights, [N, 2·D].
__device__ inline void gather(Place place, Layer layer, const float* __restrict__ dz, float* __restrict__ receivers, float* __restrict__ senders,
                       float* __restrict__ shares) {
  const int i = place.node, width = layer.width;
  for (int c = threadIdx.x; c < width; c += blockDim.x) {
    float received = 0.f, sent = 0.f, near = 0.f, far = 0.f;
    for (int e = 0; e < place.count; ++e) {
      const int j = place.sender(e);
      const float in = dz[place.edge(e) * width + c];
      received += in;
      near += in * layer.near(i, j);
      far += in * layer.far(i, j);
      sent += dz[place.to(j) * width + c];
    }
    receivers[(wide)i * width + c] = received;
    senders[(wide)i * width + c] = sent;
    shares[(wide)i * 2 * width + c] = near;
    shares[(wide)i * 2 * width + width + c] = far;
  }
}

// One warp a node: the gradients of its points. The slope of a squared distance is twice the difference, to the receiver, and its opposite
// to the sender; `pulls`, [E, 3] or null, go the same two ways.
__device__ inline void points(Place place, const float* now, const float* start, const float* __restrict__ distances, const float* __restrict__ pulls,
                       float* __restrict__ to_now, float* __restrict__ to_start) {
  const int lane = threadIdx.x % 32;
  float sums[6] = {};
  for (int e = lane; e < place.count; e += 32) {
    const int j = place.sender(e);
    if (j == place.node) continue;
    const wide in = place.edge(e), out = place.to(j);
    const float near = 2.f * (distances[2 * in] + distances[2 * out]), far = 2.f * (distances[2 * in + 1] + distances[2 * out + 1]);
    const Offset x = between(now, place.node, j), y = between(start, place.node, j);
    const float all[6] = {near * x.x, near * x.y, near * x.z, far * y.x, far * y.y, far * y.z};
#pragma unroll
    for (int k = 0; k < 6; ++k) sums[k] += all[k];
    if (!pulls) continue;
#pragma unroll
    for (int k = 0; k < 3; ++k) sums[k] += pulls[3 * in + k] - pulls[3 * out + k];
  }
#pragma unroll
  for (int k = 0; k < 6; ++k) sums[k] = warp_sum(sums[k]);
  if (lane > 0) return;
#pragma unroll
  for (int k = 0; k < 3; ++k) {
    to_now[3 * (wide)place.node + k] = sums[k];
    to_start[3 * (wide)place.node + k] = sums[k + 3];
  }
}

#define LAYER EDGES, const float *receivers, const float *senders, const float *weights, const float *now, const float *start, int width
#define GIVEN {receivers, senders, weights, now, start, width}
KERNEL(edge_first_forward_f32, (LAYER, float* a), forward(NODE, GIVEN, a))
KERNEL(edge_first_backward_f32, (LAYER, const float* da, float* dz, float* distances), backward(NODE, GIVEN, da, dz, distances))
KERNEL(edge_first_gather_f32, (LAYER, const float* dz, float* to_receivers, float* to_senders, float* shares),
       gather(NODE, GIVEN, dz, to_receivers, to_senders, shares))
KERNEL(edge_first_points_f32,
       (EDGES, const float* now, const float* start, const float* distances, const float* pulls, float* to_now, float* to_start),
       points(NODE, now, start, distances, pulls, to_now, to_start))
#undef LAYER
#undef GIVEN
