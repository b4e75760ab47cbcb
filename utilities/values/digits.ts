/** Numbers as people read them. */

export const count = (number: number): string => String(number).replace(/\B(?=(\d{3})+(?!\d))/g, ' ')

/** Six digits tell two values apart. */
export const short = (value: number | null): number | null => (value === null ? null : Number(value.toPrecision(6)))
