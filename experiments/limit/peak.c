// Fused-multiply-add peak of a processor with AVX-512, or with AVX2 and FMA, the roof of large dense layers: 12 independent
// chains per thread.
//   gcc -O3 -march=native -pthread peak.c -o peak
//   ./peak THREADS
// prints one JSON line: GFLOP/s (2 flops per fused multiply-add) of that many threads, by processor time.
#include "vectors.h"
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <pthread.h>
#define TURNS 100000000L
#if W==16
#define ONE(c) __asm__ volatile("vfmadd213ps %1,%2,%0":"+v"(c):"v"(a),"v"(b));
#else
#define ONE(c) __asm__ volatile("vfmadd213ps %1,%2,%0":"+x"(c):"x"(a),"x"(b));
#endif
static double now(){struct timespec t;clock_gettime(CLOCK_PROCESS_CPUTIME_ID,&t);return t.tv_sec+1e-9*t.tv_nsec;}
static void*work(void*out){
  V a=SET(0),b=SET(0),c0=a,c1=a,c2=a,c3=a,c4=a,c5=a,c6=a,c7=a,c8=a,c9=a,c10=a,c11=a;
  for(long k=0;k<TURNS;k++){
    ONE(c0) ONE(c1) ONE(c2) ONE(c3) ONE(c4) ONE(c5) ONE(c6) ONE(c7) ONE(c8) ONE(c9) ONE(c10) ONE(c11)
  }
  V s=ADD(ADD(ADD(c0,c1),ADD(c2,c3)),ADD(ADD(ADD(c4,c5),ADD(c6,c7)),ADD(ADD(c8,c9),ADD(c10,c11))));
  STORE((float*)out,s);
  return 0;}
int main(int count,char**given){
  int n=count>1?atoi(given[1]):1; float out[64*W]; pthread_t t[64]; if(n<1||n>64)return 2;
  double began=now();
  for(int i=0;i<n;i++)pthread_create(t+i,0,work,out+W*i); for(int i=0;i<n;i++)pthread_join(t[i],0);
  double seconds=now()-began;
  printf("{\"threads\":%d,\"gflops\":%.1f}\n",n,(double)n*n*TURNS*12*2*W/seconds/1e9); }
