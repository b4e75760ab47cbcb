/** A cell as a CSV has it: in quotes where it holds what divides cells or lines. */
export const csvCell = (text: string): string => (/[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text)
