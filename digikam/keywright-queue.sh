@COMMAND@ queue --min-confidence @CONFIDENCE@ --between '@MARK@' <<'@MARK@ end'
$INPUT
@MARK@
$OUTPUT
@MARK@ end
