/** Bytes of JSON by name, beside those that files have too. */
export const tab = 9
export const comma = 44
export const nine = 57
export const openBracket = 91
export const backslash = 92
export const closeBracket = 93
export const openBrace = 123
export const closeBrace = 125
