/* A stand-in for NVIDIA's management library: three cards, of which one cannot be had. */

#include <string.h>

typedef struct {
  unsigned long long total, free, used;
} Memory;

static int sessions = 0, cards[3] = {0, 1, 2};

int nvmlInit_v2(void) { return sessions++ == 0 ? 0 : 999; } /* one who does not shut down is told */
int nvmlShutdown(void) { return --sessions == 0 ? 0 : 1; }
int nvmlSystemGetDriverVersion(char *text, unsigned size) {
  return size < 80 ? 7 : (strcpy(text, "580.159.04"), 0);
}
int nvmlSystemGetCudaDriverVersion_v2(int *version) { return *version = 13010, 0; }
int nvmlDeviceGetCount_v2(unsigned *count) { return *count = 3, 0; }
int nvmlDeviceGetHandleByIndex_v2(unsigned index, int **device) {
  return index == 1 ? 15 : (*device = cards + index, 0);
}
int nvmlDeviceGetName(int *device, char *name, unsigned size) {
  return size < 96 ? 7 : (strcpy(name, *device == 0 ? "NVIDIA H200" : "NVIDIA GB10"), 0);
}
int nvmlDeviceGetMemoryInfo(int *device, Memory *memory) {
  if (*device != 0) return 3; /* the system owns it */
  memory->total = 150754820096ull, memory->free = 150000000000ull, memory->used = 754820096ull;
  return 0;
}
int nvmlDeviceGetCudaComputeCapability(int *device, int *major, int *minor) {
  return *major = *device == 0 ? 9 : 12, *minor = *device == 0 ? 0 : 1, 0;
}
