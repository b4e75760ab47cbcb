/** Where zod enters. */
export { z } from 'zod'
