"""The functions that a statement may call, by dialect: those that only compute a value from their arguments.

Left out on purpose: functions that read or write files, sleep, lock, advance a sequence, run SQL from a string, reveal
the server or its settings, or end other people's work. A function that is not listed is refused by name.
"""

from __future__ import annotations

from functools import cache

from rag.sql.allowed import SqlDialect

_EVERYWHERE = """
count sum avg min max random
row_number rank dense_rank percent_rank cume_dist ntile lag lead first_value last_value nth_value
coalesce nullif cast
abs ceil ceiling floor round sign sqrt power pow exp ln log log10 log2 mod pi radians degrees
sin cos tan cot asin acos atan atan2
lower upper length trim ltrim rtrim replace substr substring instr concat concat_ws char hex unhex reverse
date time datetime
"""

_SQLITE = """
total group_concat string_agg median percentile percentile_cont percentile_disc
iif if ifnull likely unlikely likelihood typeof subtype quote unicode format printf soundex glob like
trunc sinh cosh tanh asinh acosh atanh octet_length
julianday strftime unixepoch timediff
json json_array json_array_length json_error_position json_extract json_object json_patch json_quote json_type
json_valid json_group_array json_group_object json_insert json_replace json_set json_remove json_pretty
json_each json_tree generate_series
bm25 highlight snippet
"""

_POSTGRESQL = """
string_agg array_agg json_agg jsonb_agg json_object_agg jsonb_object_agg bool_and bool_or every any_value
bit_and bit_or bit_xor range_agg range_intersect_agg
stddev stddev_pop stddev_samp variance var_pop var_samp corr covar_pop covar_samp
regr_avgx regr_avgy regr_count regr_intercept regr_r2 regr_slope regr_sxx regr_sxy regr_syy
mode percentile_cont percentile_disc grouping
greatest least num_nulls num_nonnulls
cbrt div factorial gcd lcm scale min_scale trim_scale trunc width_bucket sinh cosh tanh asinh acosh atanh
sind cosd tand cotd asind acosd atand atan2d random erf erfc
ascii bit_length bit_count btrim casefold char_length character_length chr decode encode format get_bit get_byte initcap
left lpad md5 octet_length overlay parse_ident position quote_ident quote_literal quote_nullable
regexp_count regexp_instr regexp_like regexp_match regexp_matches regexp_replace regexp_split_to_array
regexp_split_to_table regexp_substr repeat right rpad sha224 sha256 sha384 sha512 split_part starts_with string_to_array
string_to_table strpos to_ascii to_hex to_bin to_oct translate unistr unaccent similarity word_similarity levenshtein
soundex metaphone dmetaphone crc32
age date_add date_bin date_part date_subtract date_trunc extract isfinite justify_days justify_hours justify_interval
make_date make_interval make_time make_timestamp make_timestamptz now clock_timestamp statement_timestamp
transaction_timestamp timeofday timezone to_char to_date to_number to_timestamp overlaps current_date current_time
current_timestamp localtime localtimestamp
array array_append array_cat array_dims array_fill array_length array_lower array_ndims array_position array_positions
array_prepend array_remove array_replace array_to_string array_to_json array_upper cardinality trim_array unnest
array_sample array_shuffle
json_array_elements json_array_elements_text json_array_length json_build_array json_build_object json_each
json_each_text json_extract_path json_extract_path_text json_object json_object_keys json_populate_record
json_strip_nulls json_to_record json_to_recordset json_typeof json_value json_query json_exists json_scalar
jsonb_array_elements jsonb_array_elements_text jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
jsonb_each_text jsonb_extract_path jsonb_extract_path_text jsonb_object jsonb_object_keys jsonb_insert
jsonb_path_exists jsonb_path_match jsonb_path_query jsonb_path_query_array jsonb_path_query_first jsonb_pretty jsonb_set
jsonb_exists jsonb_strip_nulls jsonb_to_record jsonb_to_recordset jsonb_typeof to_json to_jsonb row_to_json
generate_series generate_subscripts row
daterange numrange int4range int8range tsrange tstzrange isempty lower_inc lower_inf upper_inc upper_inf range_merge
multirange
to_tsvector to_tsquery plainto_tsquery phraseto_tsquery websearch_to_tsquery ts_headline ts_rank ts_rank_cd numnode
querytree setweight strip tsvector_to_array
gen_random_uuid
area box center circle diagonal diameter height isclosed isopen line lseg npoints path pclose point polygon popen radius
slope width family host hostmask netmask network masklen broadcast abbrev inet_merge inet_same_family
enum_first enum_last enum_range
"""

_MARIADB = """
group_concat json_arrayagg json_objectagg bit_and bit_or bit_xor
std stddev stddev_pop stddev_samp variance var_pop var_samp median percentile_cont percentile_disc
if ifnull nvl nvl2 isnull greatest least interval elt field find_in_set decode decode_oracle
truncate crc32 crc32c conv bin oct rand div
ascii bit_length bit_count character_length char_length chr export_set format from_base64 to_base64 insert lcase ucase
left lengthb locate lpad make_set mid octet_length ord position quote regexp_instr regexp_replace regexp_substr repeat
right rpad soundex space strcmp substring_index trim_oracle natural_sort_key sformat to_char uncompressed_length
uuid md5 sha sha1 sha2
adddate addtime convert_tz curdate current_date current_time current_timestamp curtime date_add date_format date_sub
datediff day dayname dayofmonth dayofweek dayofyear extract from_days from_unixtime get_format hour last_day localtime
localtimestamp makedate maketime microsecond minute month monthname now period_add period_diff quarter second
sec_to_time
str_to_date subdate subtime sysdate time_format time_to_sec timediff timestamp timestampadd timestampdiff to_days
to_seconds unix_timestamp utc_date utc_time utc_timestamp week weekday weekofyear year yearweek add_months
convert binary
json_array json_array_append json_array_insert json_array_intersect json_compact json_contains json_contains_path
json_depth json_detailed json_equals json_exists json_extract json_insert json_keys json_length json_loose json_merge
json_merge_patch json_merge_preserve json_normalize json_object json_overlaps json_pretty json_query json_quote
json_remove json_replace json_search json_set json_table json_type json_unquote json_valid json_value member
match against inet_aton inet_ntoa inet6_aton inet6_ntoa is_ipv4 is_ipv6
st_area st_astext st_aswkt st_contains st_distance st_geomfromtext st_intersects st_length st_within st_x st_y point
grouping values
"""

# Words that stand before a parenthesis and are no functions. Types are among them: NUMERIC(10, 2).
_SYNTAX_WORDS = """
all and any as between both by case cross cube distinct else end escape except exists filter first following for from
full group grouping having ilike in inner intersect interval is isnull join lateral leading left like limit materialized
not notnull of offset on only or order ordinality outer over overlaps partition placing preceding range regexp right
rlike rollup rows select separator sets similar some system bernoulli tablesample then to trailing union unknown using
values when where window with within xor div mod glob match against collate columns nested repeatable
bigint binary bit blob bpchar char character clob date datetime decimal double enum float float8 int integer interval
nchar nvarchar number numeric real signed smallint text time timestamp timestamptz timetz tinyint unsigned varbinary
varbit varchar varying year
"""
_SYNTAX = frozenset(_SYNTAX_WORDS.split())


@cache
def allowed_functions(dialect: SqlDialect) -> frozenset[str]:
    """The names of the functions that may be called, in lower case."""
    own = {SqlDialect.SQLITE: _SQLITE, SqlDialect.POSTGRESQL: _POSTGRESQL, SqlDialect.MARIADB: _MARIADB}
    return frozenset(f"{_EVERYWHERE} {own[dialect]}".split())


def is_syntax(word: str) -> bool:
    """Whether a word in lower case, or several, may stand before a parenthesis without being a function."""
    return _SYNTAX.issuperset(word.split())
