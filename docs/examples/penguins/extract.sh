#!/bin/sh
# Prints the rows of one island as JSON: sh extract.sh ISLAND MINIMUM_YEAR
set -eu
awk -F, -v island="$1" -v since="$2" '
  function number(value) { return value == "NA" ? "null" : value }
  BEGIN { printf "{\"island\":\"%s\",\"rows\":[", island }
  NR > 1 && $2 == island && $8 >= since {
    printf "%s{\"species\":\"%s\",\"flipper_length_mm\":%s,\"body_mass_g\":%s,\"year\":%s}",
      (rows++ ? "," : ""), $1, number($5), number($6), $8
  }
  END { print "]}" }
' data/penguins.csv
