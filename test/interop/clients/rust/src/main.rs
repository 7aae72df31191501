//! Publishes one message and prints the first one that arrives:
//!
//!     client FOLDER TOPIC FILTER MESSAGE
//!
//! The folder has the client's bundle in the format `rumqttc`.

use std::error::Error;
use std::path::PathBuf;
use std::time::{Duration, Instant};
use std::{env, fs};

use rumqttc::v5::mqttbytes::v5::{Packet, PubAckReason};
use rumqttc::v5::mqttbytes::QoS;
use rumqttc::v5::{Client, Event, MqttOptions};
use rumqttc::{TlsConfiguration, Transport};
use serde_json::Value;

fn main() -> Result<(), Box<dyn Error>> {
    let arguments: Vec<String> = env::args().collect();
    let [_, folder, topic, filter, message] = arguments.as_slice() else {
        return Err("usage: client FOLDER TOPIC FILTER MESSAGE".into());
    };
    let (client, mut connection) = Client::new(options(&PathBuf::from(folder))?, 10);
    client.subscribe(filter, QoS::AtLeastOnce)?;
    client.publish(topic, QoS::AtLeastOnce, false, message.clone())?;

    let end = Instant::now() + Duration::from_secs(5);
    loop {
        let left = end.saturating_duration_since(Instant::now());
        match connection
            .recv_timeout(left)
            .map_err(|_| "no message within 5 s")??
        {
            Event::Incoming(Packet::PubAck(ack)) if ack.reason == PubAckReason::NotAuthorized => {
                return Err("not published: not authorized".into());
            }
            Event::Incoming(Packet::Publish(received)) => {
                let topic = String::from_utf8_lossy(&received.topic);
                println!("{topic} {}", String::from_utf8_lossy(&received.payload));
                return Ok(());
            }
            _ => {}
        }
    }
}

fn options(folder: &PathBuf) -> Result<MqttOptions, Box<dyn Error>> {
    let json: Value = serde_json::from_slice(&fs::read(folder.join("rumqttc.json"))?)?;
    let text = |name: &str| json[name].as_str();
    let file = |name: &str| {
        text(name)
            .map(|file| fs::read(folder.join(file)))
            .transpose()
    };

    let host = text("host").ok_or("no host")?;
    let port = json["port"].as_u64().ok_or("no port")? as u16;
    let mut options = MqttOptions::new(text("client_id").ok_or("no client_id")?, host, port);
    if let (Some(username), Some(password)) = (text("username"), text("password")) {
        options.set_credentials(username, password);
    }
    options.set_transport(match text("transport") {
        Some("tls") => Transport::tls_with_config(TlsConfiguration::Simple {
            ca: file("ca_file")?.ok_or("no ca_file")?,
            alpn: None,
            client_auth: file("cert_file")?.zip(file("key_file")?),
        }),
        Some("tcp") => Transport::Tcp,
        other => return Err(format!("no transport for {other:?}").into()),
    });
    Ok(options)
}
