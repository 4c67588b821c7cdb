# SPDX-License-Identifier: GPL-2.0-only
# Source this file behind state_lab.sh: a firewall with something to show in every panel, its metrics at 127.0.0.1:9468 in $RCV, and
# Prometheus at 127.0.0.1:9090 there.
METRICS=http://127.0.0.1:9468/metrics PROM=http://127.0.0.1:9090
RENDER=${RENDER:-packaging/grafana/render}

metrics_rules() { # FILE [LINES]: other lines in front move all others
	cat >"$1" <<-END
		set banned { type prefix; live; size 200 }
		${2:-# web}
		policy web {
			state { size 2048; pending 512 }
			ingress default drop {
				log default limit 50/s
				log reasons
				count proto udp label "udp"
				drop from @banned log limit 20/s label "banned"
				pass proto icmp type echo-request keep state label "ping"
				pass proto tcp to port 7000 keep state log sample 1/2 label "web"
				drop proto udp to port 9 label "a \"b\" \\\\ c"
				pass proto udp to port 5300 keep state limit 100/s per src else ban @banned label "dns"
				reject proto tcp to port 81
			}
			egress default pass { pass keep state label "out" }
		}
	END
}
metrics_up() { # [OPTION…]: the server
	background in_ns "$RCV" "$FWCTL" metrics --listen 127.0.0.1:9468 "$@" 2>"$LAB_DIR/metrics.err" >"$LAB_DIR/metrics.out"
	METRICS_PID=$!
	wait_for 10 port_is_open "$RCV" 9468 || bail "the metrics are not served: $(cat "$LAB_DIR/metrics.err")"
}
prom_up() { # [SECONDS between scrapes]
	mkdir -p "$LAB_DIR/prom"
	cat >"$LAB_DIR/prom/prometheus.yml" <<-END
		global: { scrape_interval: ${1:-1}s, scrape_timeout: ${1:-1}s, evaluation_interval: ${1:-1}s }
		rule_files: [ $LAB_ROOT/packaging/grafana/alerts.yml ]
		scrape_configs:
		  - job_name: fwctl
		    static_configs: [ { targets: [ '127.0.0.1:9468' ] } ]
	END
	background in_ns "$RCV" prometheus --config.file="$LAB_DIR/prom/prometheus.yml" --storage.tsdb.path="$LAB_DIR/prom/data" \
		--web.listen-address=127.0.0.1:9090 --log.level=warn 2>"$LAB_DIR/prom/log" >&2
	PROM_PID=$!
	wait_for 30 in_ns "$RCV" curl -sf $PROM/-/ready || bail "prometheus does not start: $(tail -3 "$LAB_DIR/prom/log")"
}
prom_ask() { # EXPRESSION: the result, an array
	in_ns "$RCV" curl -sS --max-time 10 --data-urlencode "query=$1" $PROM/api/v1/query | jq -c '.data.result'
}
# Is there a number? ("NaN" is none.)
prom_has() { # EXPRESSION
	prom_ask "$1" | jq -e 'length > 0 and all(.[]; .value[1] != "NaN")' >/dev/null
}
prom_is() { # EXPRESSION VALUE: its only result
	[ "$(prom_ask "$1" | jq -r 'if length == 1 then .[0].value[1] else "\(length) results" end')" = "$2" ]
}
render() { # OPTION…
	in_ns "$RCV" $RENDER --url=$PROM "$@"
}
