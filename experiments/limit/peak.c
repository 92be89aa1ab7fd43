// Fused-multiply-add peak of a processor with AVX-512, the roof of large dense layers: 12 independent chains per thread.
//   gcc -O3 -march=native -pthread peak.c -o peak
//   ./peak THREADS
// prints one JSON line: GFLOP/s (2 flops per fused multiply-add) of that many threads, by processor time.
#include <immintrin.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <pthread.h>
static double now(){struct timespec t;clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&t);return t.tv_sec+1e-9*t.tv_nsec;}
#define K "vfmadd213ps %%zmm30,%%zmm31,%%zmm"
static void*w(void*o){ __asm__ volatile("vpxord %%zmm30,%%zmm30,%%zmm30\n vpxord %%zmm31,%%zmm31,%%zmm31\n" :::"xmm30","xmm31"); __asm__ volatile("vpxord %%zmm0,%%zmm0,%%zmm0\n":::"xmm0");for(long k=0;k<100000000L;k++) __asm__ volatile(K "0\n" K "1\n" K "2\n" K "3\n" K "4\n" K "5\n" K "6\n" K "7\n" K "8\n" K "9\n" K "10\n" K "11\n":::"xmm0","xmm1","xmm2","xmm3","xmm4","xmm5","xmm6","xmm7","xmm8","xmm9","xmm10","xmm11"); return 0;}
int main(int c,char**v){ int n=c>1?atoi(v[1]):1; float o[64]; pthread_t t[64]; if(n<1||n>64)return 2; double t0=now();
  for(int i=0;i<n;i++)pthread_create(t+i,0,w,o+i); for(int i=0;i<n;i++)pthread_join(t[i],0);
  double d=now()-t0; printf("{\"threads\":%d,\"gflops\":%.1f}\n",n,n*n*1e8*12*32/d/1e9); }
