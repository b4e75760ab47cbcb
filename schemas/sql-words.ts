/**
 * The words that SQLite, PostgreSQL or Redshift keep for themselves: as the name of a column, table or view, each needs quotes in every
 * statement, or is refused.
 */

const words = `add aes128 aes256 all allowoverwrite alter analyse analyze and any array as asc asymmetric authorization autoincrement az64
backup between binary blanksasnull both bytedict bzip2 case cast check collate collation column commit concurrently constraint create
credentials cross current_catalog current_date current_role current_schema current_time current_timestamp current_user
current_user_id default deferrable deflate defrag delete delta delta32k desc disable distinct do drop else emptyasnull enable
encode encrypt encryption end escape except exists explicit false fetch for foreign freeze from full globaldict256 globaldict64k
grant group gzip having identity ignore ilike in index initially inner insert intersect interval into is isnull join lateral
leading left like limit localtime localtimestamp lun luns lzo lzop minus mostly16 mostly32 mostly8 natural new not nothing notnull
null nulls off offline offset oid old on only open or order outer overlaps parallel partition percent permissions pivot placing
primary raise raw readratio recover references rejectlog resort respect restore returning right rowid select session_user set similar
snapshot some symmetric sysdate system system_user table tablesample tag tdes text255 text32k then timestamp to top trailing
transaction true truncatecolumns union unique unnest unpivot update user using values variadic verbose wallet when where window
with without`

/** Columns that every table of PostgreSQL and Redshift has already. */
const systemColumns = 'cmax cmin ctid tableoid xmax xmin'

export const sqlWords: ReadonlySet<string> = new Set(`${words} ${systemColumns}`.split(/\s/))
