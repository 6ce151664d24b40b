// Where a node's edges lie. Edges are ordered by receiver, then sender; `edges[i]` is where those into node i start.
//
// The edge network computes in f32 throughout: sums over thousands of edges cancel, so what they sum must not be rounded to bf16.
#include "kernel.cuh"

struct Place {
  const unsigned* edges;
  int node, start, nodes, count;
  __device__ Place(int node, const unsigned* offsets, const unsigned* owners, const unsigned* edges)
      : edges(edges), node(node), start(offsets[owners[node]]), nodes(offsets[owners[node] + 1] - start),
        count(edges[node + 1] - edges[node]) {}
  // Whether nodes send to themselves.
  __device__ bool own() const { return count == nodes; }
  __device__ wide edge(int e) const { return (wide)edges[node] + e; }
  // The sender of the node's e-th edge.
  __device__ int sender(int e) const { return start + e + (!own() && e >= node - start); }
  // The edge from the node to another of its sample.
  __device__ wide to(int receiver) const { return (wide)edges[receiver] + (node - start) - (!own() && node > receiver); }
  // The factor on the sum over the node's edges; without a divisor, the number of nodes divides.
  __device__ float factor(float divisor) const { return 1.f / (divisor > 0.f ? divisor : nodes); }
};

struct Offset {
  float x, y, z;
  __device__ float square() const { return x * x + y * y + z * z; }
};
__device__ inline Offset between(const float* x, wide i, wide j) {
  return {x[3 * i] - x[3 * j], x[3 * i + 1] - x[3 * j + 1], x[3 * i + 2] - x[3 * j + 2]};
}

#define EDGES const unsigned *offsets, const unsigned *owners, const unsigned *edges
// The block's node.
#define NODE Place(blockIdx.x, offsets, owners, edges)
