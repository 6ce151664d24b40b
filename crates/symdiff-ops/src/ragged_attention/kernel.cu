// Attention in tiles of 32 rows by 32 lanes; one block of four warps a (tile of rows, head, sample).
//
// A warp owns eight rows. A lane first takes one column of the tile of products (one key against the eight queries), then, for the sums
// over that tile, one channel of every 32. Softmax is online: nothing of size n × n is ever written.
//
// Forward and the gradient of q have queries as rows; the gradients of k and v have keys as rows. qkv is [N, 3·C], C = heads·width.
#include "kernel.cuh"

constexpr int TILE = 32, ROWS = 8, THREADS = 128;

// Rows [first, first + TILE) of a matrix of that stride, missing ones as zeros; entries go `down` a row and `across` a channel apart. A lane
// takes a row, so that a warp never writes to one bank twice.
template <typename T, int W>
__device__ inline void load(float* tile, int down, int across, const T* x, wide stride, int first, int nodes, int width) {
  const int row = threadIdx.x % TILE;
  const bool there = first + row < nodes;
  for (int channel = threadIdx.x / TILE * W; channel < width; channel += THREADS / TILE * W) {
    Pack<T, W> pack;
    if (there) pack = get<T, W>(x + (first + row) * stride + channel, 0);
#pragma unroll
    for (int k = 0; k < W; ++k) tile[row * down + (channel + k) * across] = there ? get(pack.at[k]) : 0.f;
  }
}
template <typename T>
__device__ inline void load(float* tile, int down, int across, const T* x, wide stride, int first, int nodes, int width) {
  if (whole(width, x)) load<T, LANES<T>>(tile, down, across, x, stride, first, nodes, width);
  else load<T, 1>(tile, down, across, x, stride, first, nodes, width);
}
// Transposed, [width][TILE]: a warp's eight rows lie side by side.
template <typename T> __device__ inline void load_rows(float* tile, const T* x, wide stride, int first, int nodes, int width) {
  load(tile, 1, TILE, x, stride, first, nodes, width);
}
// [TILE][width + 1]: lanes read one row each without a bank conflict.
template <typename T> __device__ inline void load_lanes(float* tile, const T* x, wide stride, int first, int nodes, int width) {
  load(tile, width + 1, 1, x, stride, first, nodes, width);
}

// The products of a warp's eight rows with the lane's row of the other tile.
__device__ inline void products(float (&out)[ROWS], const float* rows, const float* lanes, int width) {
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32;
#pragma unroll
  for (int r = 0; r < ROWS; ++r) out[r] = 0.f;
  for (int c = 0; c < width; ++c) {
    const float value = lanes[lane * (width + 1) + c];
    const auto near = get<float, 4>(rows + c * TILE + warp * ROWS, 0), far = get<float, 4>(rows + c * TILE + warp * ROWS, 1);
#pragma unroll
    for (int r = 0; r < 4; ++r) {
      out[r] += near.at[r] * value;
      out[r + 4] += far.at[r] * value;
    }
  }
}

// sums[r][·] += Σ over the tile's lanes of weight[lane][r]·lanes[lane][channel]; `weights` are the warp's own, [TILE][ROWS].
template <int PARTS>
__device__ inline void accumulate(float (&sums)[ROWS][PARTS], const float* weights, const float* lanes, int count, int width) {
  const int lane = threadIdx.x % 32;
  for (int j = 0; j < count; ++j) {
    const auto near = get<float, 4>(weights + j * ROWS, 0), far = get<float, 4>(weights + j * ROWS, 1);
#pragma unroll
    for (int p = 0; p < PARTS; ++p) {
      const int channel = lane + 32 * p;
      const float value = channel < width ? lanes[j * (width + 1) + channel] : 0.f;
#pragma unroll
      for (int r = 0; r < 4; ++r) {
        sums[r][p] += near.at[r] * value;
        sums[r + 4][p] += far.at[r] * value;
      }
    }
  }
}

__device__ inline void keep(float* weights, const float (&values)[ROWS]) {
  Pack<float, 4> near, far;
#pragma unroll
  for (int r = 0; r < 4; ++r) {
    near.at[r] = values[r];
    far.at[r] = values[r + 4];
  }
  put(weights + threadIdx.x % 32 * ROWS, 0, near);
  put(weights + threadIdx.x % 32 * ROWS, 1, far);
}

template <int PARTS> __device__ inline void scale(float (&sums)[PARTS], float factor) {
#pragma unroll
  for (int p = 0; p < PARTS; ++p) sums[p] *= factor;
}

// What a block works on.
struct Place {
  int start, nodes, head, first;
  __device__ Place(const unsigned* offsets)
      : start(offsets[blockIdx.x]), nodes(offsets[blockIdx.x + 1] - start), head(blockIdx.y), first(blockIdx.z * TILE) {}
  // Whether none of the warp's rows exists: it loads with the others, and that is all.
  __device__ bool idle() const { return first + (int)threadIdx.x / 32 * ROWS >= nodes; }
};

// The softmax of rows seen so far, for a warp's eight rows: the largest score, and the sum of exponentials.
struct Online {
  float top[ROWS], sum[ROWS];
  __device__ Online() {
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      top[r] = -INFINITY;
      sum[r] = 0.f;
    }
  }
  // Turns row r's score of this lane into its weight; returns what earlier sums are to be multiplied by.
  __device__ float take(int r, float& score) {
    const float above = fmaxf(top[r], warp_max(score)), factor = expf(top[r] - above);
    score = expf(score - above);
    sum[r] = sum[r] * factor + warp_sum(score);
    top[r] = above;
    return factor;
  }
};

template <typename T, int PARTS>
__device__ void forward(const T* __restrict__ qkv, const unsigned* __restrict__ offsets, T* __restrict__ o, int heads, int width, float factor) {
  DYNAMIC_SHARED(memory);
  const Place place(offsets);
  if (place.first >= place.nodes) return;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, channels = heads * width;
  float *q = memory, *weights = q + TILE * width + warp * TILE * ROWS;
  float *k = q + TILE * width + 4 * TILE * ROWS, *v = k + TILE * (width + 1);
  const T* own = qkv + (wide)place.start * 3 * channels + place.head * width;
  load_rows(q, own, 3 * channels, place.first, place.nodes, width);
  Online online;
  float sums[ROWS][PARTS] = {};
  for (int first = 0; first < place.nodes; first += TILE) {
    __syncthreads();
    load_lanes(k, own + channels, 3 * channels, first, place.nodes, width);
    load_lanes(v, own + 2 * channels, 3 * channels, first, place.nodes, width);
    __syncthreads();
    if (place.idle()) continue;
    float scores[ROWS];
    products(scores, q, k, width);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      scores[r] = first + lane < place.nodes ? scores[r] * factor : -INFINITY;
      scale(sums[r], online.take(r, scores[r]));
    }
    keep(weights, scores);
    __syncwarp();
    accumulate(sums, weights, v, min(TILE, place.nodes - first), width);
    __syncwarp();
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = place.first + warp * ROWS + r;
#pragma unroll
    for (int p = 0; p < PARTS; ++p) {
      const int channel = lane + 32 * p;
      if (row < place.nodes && channel < width) put(o[(wide)(place.start + row) * channels + place.head * width + channel], sums[r][p] / online.sum[r]);
    }
  }
}

// dq = factor·(Σ P·dP·k − D·Σ P·k) with D = Σ P·dP, all in one pass; leaves log Σ exp and D of every row in `rows`, [N][heads][2].
template <typename T, int PARTS>
__device__ void backward_query(const T* __restrict__ qkv, const T* __restrict__ up, const unsigned* __restrict__ offsets,
                               T* __restrict__ dqkv, float* __restrict__ rows, int heads, int width, float factor) {
  DYNAMIC_SHARED(memory);
  const Place place(offsets);
  if (place.first >= place.nodes) return;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, channels = heads * width;
  float *q = memory, *d = q + TILE * width, *weights = d + TILE * width + warp * TILE * ROWS, *slopes = weights + 4 * TILE * ROWS;
  float *k = d + TILE * width + 8 * TILE * ROWS, *v = k + TILE * (width + 1);
  const T* own = qkv + (wide)place.start * 3 * channels + place.head * width;
  load_rows(q, own, 3 * channels, place.first, place.nodes, width);
  load_rows(d, up + (wide)place.start * channels + place.head * width, channels, place.first, place.nodes, width);
  Online online;
  float plain[ROWS][PARTS] = {}, sloped[ROWS][PARTS] = {}, mean[ROWS] = {};
  for (int first = 0; first < place.nodes; first += TILE) {
    __syncthreads();
    load_lanes(k, own + channels, 3 * channels, first, place.nodes, width);
    load_lanes(v, own + 2 * channels, 3 * channels, first, place.nodes, width);
    __syncthreads();
    if (place.idle()) continue;
    float scores[ROWS], pulls[ROWS];
    products(scores, q, k, width);
    products(pulls, d, v, width);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      scores[r] = first + lane < place.nodes ? scores[r] * factor : -INFINITY;
      const float kept = online.take(r, scores[r]);
      pulls[r] *= scores[r];
      mean[r] = mean[r] * kept + warp_sum(pulls[r]);
      scale(plain[r], kept);
      scale(sloped[r], kept);
    }
    keep(weights, scores);
    keep(slopes, pulls);
    __syncwarp();
    accumulate(plain, weights, k, min(TILE, place.nodes - first), width);
    accumulate(sloped, slopes, k, min(TILE, place.nodes - first), width);
    __syncwarp();
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = place.first + warp * ROWS + r;
    if (row >= place.nodes) continue;
    const float inverse = 1.f / online.sum[r], average = mean[r] * inverse;
    const wide node = place.start + row;
    if (lane == 0) {
      rows[(node * heads + place.head) * 2] = online.top[r] + logf(online.sum[r]);
      rows[(node * heads + place.head) * 2 + 1] = average;
    }
#pragma unroll
    for (int p = 0; p < PARTS; ++p) {
      const int channel = lane + 32 * p;
      if (channel < width) put(dqkv[node * 3 * channels + place.head * width + channel], (sloped[r][p] - average * plain[r][p]) * inverse * factor);
    }
  }
}

// dk = factor·Σ P·(dP − D)·q, dv = Σ P·do, over the queries; P from the rows' log Σ exp.
template <typename T, int PARTS>
__device__ void backward_key(const T* __restrict__ qkv, const T* __restrict__ up, const float* __restrict__ rows,
                             const unsigned* __restrict__ offsets, T* __restrict__ dqkv, int heads, int width, float factor) {
  DYNAMIC_SHARED(memory);
  const Place place(offsets);
  if (place.first >= place.nodes) return;
  const int warp = threadIdx.x / 32, lane = threadIdx.x % 32, channels = heads * width;
  float *k = memory, *v = k + TILE * width, *weights = v + TILE * width + warp * TILE * ROWS, *slopes = weights + 4 * TILE * ROWS;
  float *q = v + TILE * width + 8 * TILE * ROWS, *d = q + TILE * (width + 1);
  const T* own = qkv + (wide)place.start * 3 * channels + place.head * width;
  load_rows(k, own + channels, 3 * channels, place.first, place.nodes, width);
  load_rows(v, own + 2 * channels, 3 * channels, place.first, place.nodes, width);
  float dk[ROWS][PARTS] = {}, dv[ROWS][PARTS] = {};
  for (int first = 0; first < place.nodes; first += TILE) {
    __syncthreads();
    load_lanes(q, own, 3 * channels, first, place.nodes, width);
    load_lanes(d, up + (wide)place.start * channels + place.head * width, channels, first, place.nodes, width);
    __syncthreads();
    if (place.idle()) continue;
    const bool there = first + lane < place.nodes;
    const wide at = there ? ((wide)(place.start + first + lane) * heads + place.head) * 2 : 0;
    const float top = rows[at], average = rows[at + 1];
    float scores[ROWS], pulls[ROWS];
    products(scores, k, q, width);
    products(pulls, v, d, width);
#pragma unroll
    for (int r = 0; r < ROWS; ++r) {
      scores[r] = there ? expf(scores[r] * factor - top) : 0.f;
      pulls[r] = there ? scores[r] * (pulls[r] - average) : 0.f;
    }
    keep(weights, scores);
    keep(slopes, pulls);
    __syncwarp();
    accumulate(dv, weights, d, min(TILE, place.nodes - first), width);
    accumulate(dk, slopes, q, min(TILE, place.nodes - first), width);
    __syncwarp();
  }
#pragma unroll
  for (int r = 0; r < ROWS; ++r) {
    const int row = place.first + warp * ROWS + r;
#pragma unroll
    for (int p = 0; p < PARTS; ++p) {
      const int channel = lane + 32 * p;
      if (row >= place.nodes || channel >= width) continue;
      T* out = dqkv + (wide)(place.start + row) * 3 * channels + place.head * width + channel;
      put(out[channels], dk[r][p] * factor);
      put(out[2 * channels], dv[r][p]);
    }
  }
}

#define DEFINE_PARTS(S, T, PARTS) \
  KERNEL(ragged_attention_forward_##PARTS##_##S, \
         (const T* qkv, const unsigned* offsets, T* o, int heads, int width, float factor), \
         forward<T, PARTS>(qkv, offsets, o, heads, width, factor)) \
  KERNEL(ragged_attention_query_##PARTS##_##S, \
         (const T* qkv, const T* up, const unsigned* offsets, T* dqkv, float* rows, int heads, int width, float factor), \
         backward_query<T, PARTS>(qkv, up, offsets, dqkv, rows, heads, width, factor)) \
  KERNEL(ragged_attention_key_##PARTS##_##S, \
         (const T* qkv, const T* up, const float* rows, const unsigned* offsets, T* dqkv, int heads, int width, float factor), \
         backward_key<T, PARTS>(qkv, up, rows, offsets, dqkv, heads, width, factor))
#define DEFINE(S, T) DEFINE_PARTS(S, T, 1) DEFINE_PARTS(S, T, 2) DEFINE_PARTS(S, T, 4)
PER_TYPE(DEFINE)
#undef DEFINE
