# Runs a server that ends, and whose folder is removed, as soon as standard input ends: whoever holds the other end
# of that pipe holds the leash, and the kernel lets go of it however the holder dies.
#
#     leash.sh FOLDER SIGNAL PREPARATION PROGRAM ARGUMENTS…
#
# Runs in FOLDER. PREPARATION is a line of shell that runs first and sees the program as $1. Output goes to
# FOLDER/log; FOLDER/ended appears when the server has ended, or could not be prepared.
folder=$1 signal=$2 preparation=$3
shift 3
cd "$folder" || exit 1
exec 3<&0 </dev/null >log 2>&1

sh -c "$preparation" preparation "$@" 3<&- || set -- false
"$@" 3<&- &
server=$!

(
    read -r _ <&3
    looks=0
    # Again and again: a server that has only just started may not listen to signals yet.
    while ! test -e ended && test "$looks" -lt 200; do
        kill -s "$signal" "$server"
        sleep 0.05
        looks=$((looks + 1))
    done
    test -e ended || kill -s KILL "$server"
) &

wait "$server"
: >ended
wait
cd / && rm -rf "$folder"
