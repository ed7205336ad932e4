/** Where this node keeps what is known of its networks. */
export interface NodePlaces {
  /** Where networks are configured: `/etc/cni/net.d`. */
  readonly confDir: string;
  /** What runtimes remember of attachments: `/var/lib/cni`. */
  readonly cacheDir: string;
}
