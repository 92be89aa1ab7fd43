// One vector of the processor, by name: 16 lanes with AVX-512, 8 lanes with AVX2 and FMA.
//   V: W numbers in single precision. I: W whole numbers of 32 bits.
#include <immintrin.h>
#if defined(__AVX512F__)
#define W 16
typedef __m512 V; typedef __m512i I;
#define SET(c) _mm512_set1_ps(c)
#define ISET(c) _mm512_set1_epi32(c)
#define FMA _mm512_fmadd_ps
#define FNMA _mm512_fnmadd_ps
#define MUL _mm512_mul_ps
#define ADD _mm512_add_ps
#define SUB _mm512_sub_ps
#define MAX _mm512_max_ps
#define MIN _mm512_min_ps
#define SQRT _mm512_sqrt_ps
#define ROUGH_RECIPROCAL _mm512_rcp14_ps
#define STORE _mm512_storeu_ps
#define IADD _mm512_add_epi32
#define IXOR _mm512_xor_si512
#define ISLL _mm512_slli_epi32
#define ISRL _mm512_srli_epi32
#define IMUL _mm512_mullo_epi32
#define ROTL _mm512_rol_epi32
#define TO_FLOAT _mm512_cvtepi32_ps
#define ILOAD(p) _mm512_loadu_si512(p)
#define ISTORE(p,a) _mm512_storeu_si512(p,a)
#define GATHER(p,i) _mm512_i32gather_ps(i,p,4)
#define IGATHER(p,i) _mm512_i32gather_epi32(i,p,4)
#define ISCATTER(p,i,a) _mm512_i32scatter_epi32(p,i,a,4)
#define LANES _mm512_setr_epi32(0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15)
// v where h > 0, else 0
#define WHERE_POSITIVE(h,v) _mm512_maskz_mov_ps(_mm512_cmp_ps_mask(h,_mm512_setzero_ps(),_CMP_GT_OQ),v)
#elif defined(__AVX2__) && defined(__FMA__)
#define W 8
typedef __m256 V; typedef __m256i I;
#define SET(c) _mm256_set1_ps(c)
#define ISET(c) _mm256_set1_epi32(c)
#define FMA _mm256_fmadd_ps
#define FNMA _mm256_fnmadd_ps
#define MUL _mm256_mul_ps
#define ADD _mm256_add_ps
#define SUB _mm256_sub_ps
#define MAX _mm256_max_ps
#define MIN _mm256_min_ps
#define SQRT _mm256_sqrt_ps
#define ROUGH_RECIPROCAL _mm256_rcp_ps
#define STORE _mm256_storeu_ps
#define IADD _mm256_add_epi32
#define IXOR _mm256_xor_si256
#define ISLL _mm256_slli_epi32
#define ISRL _mm256_srli_epi32
#define IMUL _mm256_mullo_epi32
#define ROTL(x,k) _mm256_or_si256(_mm256_slli_epi32(x,k),_mm256_srli_epi32(x,32-(k)))
#define TO_FLOAT _mm256_cvtepi32_ps
#define ILOAD(p) _mm256_loadu_si256((const __m256i*)(p))
#define ISTORE(p,a) _mm256_storeu_si256((__m256i*)(p),a)
#define GATHER(p,i) _mm256_i32gather_ps(p,i,4)
#define IGATHER(p,i) _mm256_i32gather_epi32(p,i,4)
static inline void ISCATTER(int*p,I i,I a){int at[8],v[8]; ISTORE(at,i); ISTORE(v,a); for(int k=0;k<8;k++) p[at[k]]=v[k];}
#define LANES _mm256_setr_epi32(0,1,2,3,4,5,6,7)
#define WHERE_POSITIVE(h,v) _mm256_and_ps(_mm256_cmp_ps(h,_mm256_setzero_ps(),_CMP_GT_OQ),v)
#else
#error "the limit needs AVX-512, or AVX2 and FMA"
#endif
