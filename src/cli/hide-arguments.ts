/** Overwrites them: from now on `ps` shows the command alone. Others could see them for a moment; a file is better. */
export const hideArguments = (): void => {
  process.title = `tributary ${process.argv[2] ?? ''}`.trim()
}
