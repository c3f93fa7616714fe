/* A stand-in for CUDA's runtime whose device is the host; its memory holds NaN at first, and it counts. */

#include <stdlib.h>
#include <string.h>

static int copies = 0, waits = 0, blocks = 0;

int cudaMalloc(void **block, size_t bytes) {
  if (bytes > 1ull << 40) return 2;
  *block = malloc(bytes);
  blocks++;
  return memset(*block, 0xff, bytes), 0;
}
int cudaFree(void *block) { return blocks--, free(block), 0; }
int cudaMemset(void *block, int value, size_t bytes) { return memset(block, value, bytes), 0; }
int cudaMemcpy(void *to, const void *from, size_t bytes, int kind) {
  if (kind != 4) return 21;
  return copies++, memcpy(to, from, bytes), 0;
}
int cudaDeviceSynchronize(void) { return waits++, 0; }
int cudaMemGetInfo(size_t *free, size_t *total) {
  return *free = 3ull << 30, *total = 80ull << 30, 0;
}
const char *cudaGetErrorString(int status) {
  return status == 2 ? "out of memory" : "invalid memcpy direction";
}

/* what a test asks */
int copied(void) { return copies; }
int waited(void) { return waits; }
int held(void) { return blocks; }
