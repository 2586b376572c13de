/* The parts of LAPACK that are used, as OpenBLAS brings them. Matrices are stored by columns, so that the upper half of
 * a symmetric one stored by rows is the lower one. *info is 0 where there is a result. */
#ifndef PARE_QUANT_LAPACK_H
#define PARE_QUANT_LAPACK_H

/* Solves a symmetric positive definite system. */
void dposv_(const char *uplo, const int *n, const int *nrhs, double *a, const int *lda, double *b, const int *ldb,
            int *info);
/* The Cholesky factor, and from it the inverse of the matrix. */
void dpotrf_(const char *uplo, const int *n, double *a, const int *lda, int *info);
void dpotri_(const char *uplo, const int *n, double *a, const int *lda, int *info);
/* The inverse of a triangular matrix. */
void dtrtri_(const char *uplo, const char *diagonal, const int *n, double *a, const int *lda, int *info);

#endif
