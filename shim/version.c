/* The only file that is compiled again for another commit. */
#include "version.h"

const char version[] = WEIR_COMMIT;
