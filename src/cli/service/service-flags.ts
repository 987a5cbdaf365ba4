/** Of `tributary service install|uninstall|status`, as commander hands them over. */
export interface ServiceFlags {
  readonly name?: string
  readonly system?: boolean
  readonly user?: boolean
  readonly runAs?: string
  readonly dryRun?: boolean
  readonly json?: boolean
}
