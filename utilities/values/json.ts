/** Values as JSON has them, and 64-bit integers beside. */

export type Json = null | boolean | number | string | bigint | readonly Json[] | { readonly [name: string]: Json | undefined }

/** Integers that a double cannot hold to the last digit are texts. */
export const toJson = (value: Json): string =>
  JSON.stringify(
    value,
    (_, one: unknown) => {
      if (typeof one !== 'bigint') return one
      return one >= -9007199254740991n && one <= 9007199254740991n ? Number(one) : String(one)
    },
    2,
  )
